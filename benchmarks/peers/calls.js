// So many calls by so many callers, a connection each: k6's own way, whose answers are looked at by nobody.
//
// Its environment says where and what: TARGET, FOLDER (where the service's text is), TOKEN.
import exec from "k6/execution";
import grpc from "k6/net/grpc";

const client = new grpc.Client();
client.load([__ENV.FOLDER], "case.proto");
const settings = { metadata: { authorization: `Bearer ${__ENV.TOKEN}` }, timeout: "30s", discardResponseMessage: true };
let connected = false;

export default function () {
  if (!connected) {
    client.connect(__ENV.TARGET, { plaintext: true });
    connected = true;
  }
  const answer = client.invoke("S/Get", { user_id: `user${exec.scenario.iterationInTest}` }, settings);
  if (answer.status !== grpc.StatusOK) exec.test.abort(JSON.stringify(answer.error));
}
