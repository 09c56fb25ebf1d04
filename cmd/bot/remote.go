package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"keepwatch"
	"keepwatch/engine"
	"keepwatch/handlers"
)

// asked is what a terminal asks of the running bot.
type asked struct {
	Text   string
	Cursor int
	Dir    string
}

// serveTerminal answers, on the control socket, the terminals of whoever the bot
// runs as: what is typed there is carried out by the bot that has the state.
func (a *app) serveTerminal(mux *http.ServeMux) {
	request := func(in asked) keepwatch.Request {
		return keepwatch.Request{Text: in.Text, Dir: in.Dir, Account: a.account, Channel: "terminal", Private: true, Local: true, At: a.now()}
	}
	mux.HandleFunc("POST /terminal/handle", answering(func(ctx context.Context, in asked) keepwatch.Message {
		return a.router.Handle(ctx, request(in))
	}))
	mux.HandleFunc("POST /terminal/complete", answering(func(ctx context.Context, in asked) []handlers.Candidate {
		return a.router.Complete(ctx, request(in), in.Cursor)
	}))
	mux.HandleFunc("POST /terminal/open", answering(func(context.Context, struct{}) string { return a.stillOpen() }))
	mux.HandleFunc("POST /terminal/card", answering(func(_ context.Context, run keepwatch.Run) keepwatch.Message {
		return a.router.RunMessage(run)
	}))
	mux.HandleFunc("POST /check", answering(func(ctx context.Context, _ struct{}) []keepwatch.Probe {
		return a.check(ctx)
	}))
	mux.HandleFunc("GET /terminal/follow", func(w http.ResponseWriter, r *http.Request) { follow(w, r, a.engine) })
}

// answering makes a handler of a function from JSON to JSON.
func answering[In, Out any](fn func(context.Context, In) Out) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in In
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 16<<20)).Decode(&in); err != nil {
			http.Error(w, "That cannot be read.", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(fn(r.Context(), in))
	}
}

// followed is one line of what follow sends.
type followed struct {
	Run  keepwatch.Run
	Last bool
	Err  string `json:",omitempty"`
}

// follow sends a run as it goes on, a line of JSON each time.
func follow(w http.ResponseWriter, r *http.Request, e *engine.Engine) {
	id, err := strconv.ParseInt(r.URL.Query().Get("run"), 10, 64)
	if err != nil {
		http.Error(w, "Which run?", http.StatusBadRequest)
		return
	}
	out := json.NewEncoder(w)
	flush := http.NewResponseController(w)
	send := func(f followed) {
		_ = out.Encode(f) // whoever has gone away ends the request, and with it ctx
		_ = flush.Flush()
	}
	run, err := e.Follow(r.Context(), id, func(run keepwatch.Run) { send(followed{Run: run}) })
	last := followed{Run: run, Last: true}
	if err != nil {
		last.Err = sentenceOf(err)
	}
	send(last)
}

// remote is the running bot, as a terminal sees it. It is what the console talks
// to instead of a router and an engine of its own.
type remote struct {
	client *http.Client
	dir    string // this terminal's folder
	log    *slog.Logger
}

// controlClient reaches the control socket, and believes nobody there but this
// user or root.
func controlClient(socket string) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := (&net.Dialer{Timeout: 2 * time.Second}).DialContext(ctx, "unix", socket)
		if err != nil {
			return nil, err
		}
		if err := ours(conn); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		return conn, nil
	}}}
}

// reach gives the bot that runs on a data folder, and false where none answers.
func reach(ctx context.Context, s settings, log *slog.Logger) (*remote, bool) {
	if err := socketFolder(s.DataDir, false); err != nil {
		return nil, false
	}
	dir, err := os.Getwd()
	if err != nil {
		return nil, false
	}
	r := &remote{client: controlClient(socketPath(s.DataDir)), dir: dir, log: log}
	var none []handlers.Candidate
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second) // it may be stopped, or hang
	defer cancel()
	if err := r.ask(ctx, "/terminal/complete", asked{Text: "", Dir: dir}, &none); err != nil {
		return nil, false
	}
	return r, true
}

func (r *remote) ask(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://keepwatch"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the running bot answers HTTP %d", resp.StatusCode)
	}
	return json.NewDecoder(io.LimitReader(resp.Body, 64<<20)).Decode(out)
}

// gone is what is said where the running bot does not answer any more.
func gone() *keepwatch.Error {
	return keepwatch.Errorf(keepwatch.KindTransient, "The running Keepwatch no longer answers; it may have been stopped. What it had finished stays finished, and it takes up the rest when it is started again.")
}

// orphaned is what is said where the running bot is there no more.
func orphaned() keepwatch.Message {
	return keepwatch.Message{Title: "That Keepwatch has ended", Tone: keepwatch.ToneWarn, Failed: true, Refused: keepwatch.KindTransient, Blocks: []keepwatch.Block{
		keepwatch.Text("The Keepwatch that this terminal talked to has ended. Leave with exit and start bot again: then this terminal is it."),
	}}
}

// nobodyThere reports whether an error means that nobody listens on the control socket.
func nobodyThere(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist)
}

// leaves reports whether a line asks to leave the chat.
func leaves(text string) bool {
	words := strings.Fields(strings.TrimPrefix(strings.ToLower(strings.TrimSpace(text)), "/"))
	if len(words) == 2 && words[0] == "keepwatch" {
		words = words[1:]
	}
	return len(words) == 1 && words[0] == "exit"
}

// exitWait is how long the running bot has to hear that somebody leaves.
const exitWait = 2 * time.Second

// Handle has the running bot carry out a line. Whoever asks to leave does, however it
// is with that bot.
func (r *remote) Handle(ctx context.Context, req keepwatch.Request) (msg keepwatch.Message) {
	exit := leaves(req.Text)
	if exit {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, exitWait)
		defer cancel()
	}
	err := r.ask(ctx, "/terminal/handle", asked{Text: req.Text, Dir: r.dir}, &msg)
	if err != nil {
		r.log.Warn("the running bot does not answer", "err", err)
	}
	switch {
	case exit:
		return keepwatch.Message{Quit: true}
	case err == nil:
		return msg
	case nobodyThere(err):
		return orphaned()
	}
	return keepwatch.Message{Title: "Not just now", Tone: keepwatch.ToneBad, Failed: true, Refused: keepwatch.KindTransient, Blocks: []keepwatch.Block{keepwatch.Text(gone().Message)}}
}

// outlive waits until the running bot ends, and reports whether it did: false where
// ctx ended first, or it cannot be asked.
func (r *remote) outlive(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://keepwatch/stay", nil)
	if err != nil {
		return false
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return nobodyThere(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK { // an older one, which cannot say it
		return false
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return ctx.Err() == nil
}

// stillOpen gives what the running bot says of what is open; "" where it cannot.
func (r *remote) stillOpen(ctx context.Context) (text string) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := r.ask(ctx, "/terminal/open", struct{}{}, &text); err != nil {
		r.log.Debug("the running bot does not say what is open", "err", err)
		return ""
	}
	return text
}

// Complete asks the running bot what a word may be completed to.
func (r *remote) Complete(ctx context.Context, req keepwatch.Request, cursor int) (list []handlers.Candidate) {
	if err := r.ask(ctx, "/terminal/complete", asked{Text: req.Text, Cursor: cursor, Dir: r.dir}, &list); err != nil {
		return nil
	}
	return list
}

// RunMessage has the running bot write the card of a run.
func (r *remote) RunMessage(run keepwatch.Run) (msg keepwatch.Message) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := r.ask(ctx, "/terminal/card", run, &msg); err != nil {
		return keepwatch.Message{Title: fmt.Sprintf("Run %d is %s", run.ID, run.State)}
	}
	return msg
}

// Follow shows how a run goes on in the running bot.
func (r *remote) Follow(ctx context.Context, id int64, fn func(keepwatch.Run)) (keepwatch.Run, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://keepwatch/terminal/follow?"+url.Values{"run": {strconv.FormatInt(id, 10)}}.Encode(), nil)
	if err != nil {
		return keepwatch.Run{}, err
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return keepwatch.Run{}, gone().Because(err)
	}
	defer resp.Body.Close()
	lines := json.NewDecoder(resp.Body)
	var run keepwatch.Run
	for {
		var f followed
		if err := lines.Decode(&f); err != nil {
			return run, errors.Join(ctx.Err(), gone().Because(err))
		}
		run = f.Run
		switch {
		case f.Last && f.Err != "":
			return run, keepwatch.Errorf(keepwatch.KindTransient, "%s", f.Err)
		case f.Last:
			return run, nil
		}
		fn(run)
	}
}

// probes asks the running bot for its check.
func (r *remote) probes(ctx context.Context) (list []keepwatch.Probe, err error) {
	err = r.ask(ctx, "/check", struct{}{}, &list)
	return list, err
}
