// The seed of the explorer, as it was first written: a client that holds a refresh token, an access token that expired
// yesterday, and a call that simply works. What it is to use arrives as JSON on standard input, so that no secret is in
// an argument or in the environment; the user it got leaves as JSON on standard output.
package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/oauth2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/oauth"
)

type input struct {
	Target           string `json:"target"`
	RootCertificates string `json:"root_certificates"`
	TokenEndpoint    string `json:"token_endpoint"`
	ClientID         string `json:"client_id"`
	ClientSecret     string `json:"client_secret"`
	AccessToken      string `json:"access_token"`
	RefreshToken     string `json:"refresh_token"`
	UserID           string `json:"user_id"`
}

func getUser(ctx context.Context, in input) (*User, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(in.RootCertificates)) {
		return nil, errors.New("root_certificates holds no PEM certificate")
	}
	config := oauth2.Config{
		ClientID:     in.ClientID,
		ClientSecret: in.ClientSecret,
		Endpoint:     oauth2.Endpoint{TokenURL: in.TokenEndpoint, AuthStyle: oauth2.AuthStyleInHeader},
	}
	expired := &oauth2.Token{
		AccessToken:  in.AccessToken,
		RefreshToken: in.RefreshToken,
		Expiry:       time.Now().AddDate(0, 0, -1),
	}
	connection, err := grpc.DialContext(ctx, in.Target,
		grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(roots, "")),
		grpc.WithPerRPCCredentials(oauth.TokenSource{TokenSource: config.TokenSource(ctx, expired)}),
	)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	return NewUserServiceClient(connection).GetUser(ctx, &GetUserRequest{UserId: in.UserID})
}

func run() error {
	var in input
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	user, err := getUser(ctx, in)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]string{"id": user.GetId(), "name": user.GetName()})
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
