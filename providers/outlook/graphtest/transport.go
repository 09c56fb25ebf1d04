package graphtest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
)

// Transport answers requests to the tenant within this process, without a connection: all
// that a request waits for then is Latency, so that a testing/synctest bubble can let time
// pass. A connection that the tenant cuts is io.ErrUnexpectedEOF, of the call or of the
// reading of its body.
func (n *Tenant) Transport() http.RoundTripper { return inProcess{n} }

type inProcess struct{ n *Tenant }

// RoundTrip makes a request.
func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.RequestURI = r.URL.RequestURI()
	if in.Body == nil {
		in.Body = http.NoBody
	}
	defer in.Body.Close()
	serve := t.n.serveGraph
	if u, err := url.Parse(t.n.LoginURL); err == nil && u.Host == r.URL.Host {
		serve = t.n.serveLogin
	}
	w := httptest.NewRecorder()
	cut := aborts(func() { serve(w, in) })
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if cut && w.Body.Len() == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	answer := w.Result()
	answer.Request = r
	if cut {
		answer.Body = io.NopCloser(io.MultiReader(answer.Body, broken{}))
	}
	return answer, nil
}

// aborts reports whether a handler ends the connection.
func aborts(serve func()) (cut bool) {
	defer func() {
		switch v := recover(); v {
		case nil:
		case http.ErrAbortHandler:
			cut = true
		default:
			panic(v)
		}
	}()
	serve()
	return false
}

// broken is where a body ends too early.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
