/* A gRPC server that is not the bottleneck: whatever is called, it answers with the bytes that it was given.
 *
 * The file named by its argument holds the answer's messages, framed as gRPC has them. It prints its port, serves a
 * connection a thread, and ends when its standard input does. The protocol is nghttp2's; it looks at no request.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define AT_ONCE 65536

static uint8_t *body;
static size_t body_length;

#define FIELD(name, value) {(uint8_t *)name, (uint8_t *)value, sizeof(name) - 1, sizeof(value) - 1, NGHTTP2_NV_FLAG_NONE}
static nghttp2_nv BEGIN[] = {FIELD(":status", "200"), FIELD("content-type", "application/grpc")};
static nghttp2_nv END[] = {FIELD("grpc-status", "0")};

/* The next piece of the answer, whose place the stream remembers; the trailers come after the last. */
static ssize_t give(nghttp2_session *session, int32_t stream, uint8_t *into, size_t room, uint32_t *flags,
                    nghttp2_data_source *source, void *connection) {
  size_t at = (size_t)nghttp2_session_get_stream_user_data(session, stream);
  size_t piece = body_length - at < room ? body_length - at : room;
  (void)source, (void)connection;
  memcpy(into, body + at, piece);
  nghttp2_session_set_stream_user_data(session, stream, (void *)(at + piece));
  if (at + piece == body_length) {
    *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    nghttp2_submit_trailer(session, stream, END, 1);
  }
  return (ssize_t)piece;
}

/* A request is answered once it has ended. */
static int received(nghttp2_session *session, const nghttp2_frame *frame, void *connection) {
  static const nghttp2_data_provider answer = {.read_callback = give};
  int carries = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
  (void)connection;
  if (carries && frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
    return nghttp2_submit_response(session, frame->hd.stream_id, BEGIN, 2, &answer);
  return 0;
}

static int write_all(int connection, const uint8_t *data, size_t length) {
  while (length) {
    ssize_t written = send(connection, data, length, MSG_NOSIGNAL);
    if (written <= 0) return -1;
    data += written, length -= (size_t)written;
  }
  return 0;
}

/* What the session has to say, many frames a write. */
static int speak(nghttp2_session *session, int connection) {
  uint8_t out[2 * AT_ONCE];
  size_t filled = 0;
  const uint8_t *frame;
  ssize_t length;
  while ((length = nghttp2_session_mem_send(session, &frame)) > 0) {
    if (filled + (size_t)length > sizeof out) {
      if (write_all(connection, out, filled)) return -1;
      filled = 0;
    }
    memcpy(out + filled, frame, (size_t)length);
    filled += (size_t)length;
  }
  return length < 0 ? -1 : write_all(connection, out, filled);
}

static void *serve(void *argument) {
  int connection = (int)(intptr_t)argument, yes = 1;
  nghttp2_session_callbacks *callbacks;
  nghttp2_session *session;
  uint8_t in[AT_ONCE];
  ssize_t length;
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, received);
  nghttp2_session_server_new(&session, callbacks, NULL);
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, NULL, 0);
  while (!speak(session, connection) && (length = recv(connection, in, sizeof in, 0)) > 0)
    if (nghttp2_session_mem_recv(session, in, (size_t)length) < 0) break;
  nghttp2_session_del(session);
  nghttp2_session_callbacks_del(callbacks);
  close(connection);
  return NULL;
}

static void *accept_all(void *argument) {
  for (;;) {
    pthread_t thread;
    int connection = accept((int)(intptr_t)argument, NULL, NULL);
    if (connection >= 0 && !pthread_create(&thread, NULL, serve, (void *)(intptr_t)connection)) pthread_detach(thread);
  }
  return NULL;
}

static void read_body(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END)) exit(1);
  body_length = (size_t)ftell(file);
  body = malloc(body_length + 1);
  rewind(file);
  if (!body || fread(body, 1, body_length, file) != body_length) exit(1);
  fclose(file);
}

int main(int count, char **arguments) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  pthread_t thread;
  if (count != 2) return 1;
  read_body(arguments[1]);
  if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 64)) return 1;
  if (getsockname(listener, (struct sockaddr *)&address, &size)) return 1;
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  if (pthread_create(&thread, NULL, accept_all, (void *)(intptr_t)listener)) return 1;
  while (getchar() != EOF) {
  }
  return 0;
}
