// Callers of golang.org/x/oauth2's token source. The first line on standard input says where it gets its tokens, each
// further line what the callers do, and one line on standard output says what became of them.
package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

type place struct {
	TokenEndpoint string `json:"token_endpoint"`
	ClientID      string `json:"client_id"`
	ClientSecret  string `json:"client_secret"`
	RefreshToken  string `json:"refresh_token"`
}

// load is so many callers at once, or, where there are none, a call every so many seconds for so many seconds.
type load struct {
	Callers int     `json:"callers"`
	Every   float64 `json:"every"`
	Seconds float64 `json:"seconds"`
	Patient float64 `json:"patient"`
}

type outcome struct {
	Calls  int `json:"calls"`
	Failed int `json:"failed"`
	Waited int `json:"waited"`
}

type callers struct {
	source oauth2.TokenSource
	mutex  sync.Mutex
	done   sync.WaitGroup
	seen   outcome
}

// over tells whether a JWT's own time is over: whoever is given such a token is not served.
func over(token string) bool {
	var claims struct {
		Exp float64 `json:"exp"`
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return true
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return true
	}
	return float64(time.Now().UnixNano())/1e9 >= claims.Exp
}

func (c *callers) call(patient float64) {
	defer c.done.Done()
	began := time.Now()
	token, err := c.source.Token()
	waited := time.Since(began).Seconds() > patient
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.seen.Calls++
	if err != nil || over(token.AccessToken) {
		c.seen.Failed++
	}
	if waited {
		c.seen.Waited++
	}
}

func (c *callers) run(what load) outcome {
	c.seen = outcome{}
	count, every := what.Callers, time.Duration(0)
	if count == 0 {
		count, every = int(what.Seconds/what.Every), time.Duration(what.Every*float64(time.Second))
	}
	began := time.Now()
	for number := 0; number < count; number++ {
		time.Sleep(time.Until(began.Add(time.Duration(number) * every)))
		c.done.Add(1)
		go c.call(what.Patient)
	}
	c.done.Wait()
	return c.seen
}

func run() error {
	lines := bufio.NewScanner(os.Stdin)
	var at place
	if !lines.Scan() {
		return fmt.Errorf("nothing on standard input")
	}
	if err := json.Unmarshal(lines.Bytes(), &at); err != nil {
		return err
	}
	config := oauth2.Config{
		ClientID:     at.ClientID,
		ClientSecret: at.ClientSecret,
		Endpoint:     oauth2.Endpoint{TokenURL: at.TokenEndpoint, AuthStyle: oauth2.AuthStyleInHeader},
	}
	expired := &oauth2.Token{AccessToken: "expired", RefreshToken: at.RefreshToken, Expiry: time.Now().AddDate(0, 0, -1)}
	all := &callers{source: config.TokenSource(context.Background(), expired)}
	for lines.Scan() {
		var what load
		if err := json.Unmarshal(lines.Bytes(), &what); err != nil {
			return err
		}
		if err := json.NewEncoder(os.Stdout).Encode(all.run(what)); err != nil {
			return err
		}
	}
	return lines.Err()
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
