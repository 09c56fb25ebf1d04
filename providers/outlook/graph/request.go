package graph

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Request is one call.
type Request struct {
	Method string // "": GET
	// URL is a path below the version ("/users/alis@example.com/messages"), with its
	// query, or a whole address that Graph gave (a nextLink), which must be of its origin.
	URL    string
	Header http.Header // beside what the client sets; its Prefer is added to ours

	Body        []byte    // what is sent; it can be sent again
	Stream      io.Reader // instead of Body; such a call is made once
	Length      int64     // of Stream
	ContentType string    // "" with a Body: application/json

	// Again says that the caller has seen to it that a second arrival of a POST does no
	// harm. Other methods need none: a second PUT, PATCH or DELETE finds the work done.
	Again bool
	// PageSize is asked for by Prefer: odata.maxpagesize; 0: not asked for.
	PageSize int
	// Limit is how many bytes the answer may have; 0: no limit. More is ErrTooLarge.
	Limit int64
	// Longest is how many bytes a text of a page may have, as it is written; 0: any number. A
	// longer one is left out, see PagesOf and Page.Cut.
	Longest int
	// Timeout is how long the head of the answer may take; 0: 100 s.
	Timeout time.Duration
	// Anonymous sends neither token nor preferences, and may lead to another host, by
	// https: the address of an upload session carries its own leave, and takes no token
	// (learn.microsoft.com/graph/outlook-large-attachments).
	Anonymous bool
	// Scope is another resource's, "GUID/.default": the call takes a token for that instead
	// of one for Graph, and none of the preferences, and may lead to another host by https,
	// of which the caller has seen that it is that resource's.
	Scope string

	weight    int  // calls that it counts as; 0: 1
	impatient bool // give up on the first answer that says that it took too long
}

// Response is an answer of success. Its Body must be closed: until then it holds a place
// in the mailbox's lane.
type Response struct {
	Status    int
	Header    http.Header
	Body      io.ReadCloser
	RequestID string // the vendor's
}

func (r Request) method() string { return or(r.Method, http.MethodGet) }

// repeatable reports whether the call may be made again after its end is not known.
func (r Request) repeatable() bool {
	return r.Stream == nil && (r.method() != http.MethodPost || r.Again)
}

func (r Request) length() int64 {
	switch {
	case reads(r.method()):
		return 0
	case r.Stream != nil:
		return r.Length
	}
	return int64(len(r.Body))
}

// elsewhere reports whether the call need not lead to Graph.
func (r Request) elsewhere() bool { return r.Anonymous || r.Scope != "" }

// resolve gives the address of a call, and sees that the token goes nowhere but to Graph.
func (c *Client) resolve(r Request) (*url.URL, error) {
	u, err := url.Parse(r.URL)
	if err != nil { // its text holds the address
		return nil, fmt.Errorf("the address of a call cannot be read: %w", ErrOtherHost)
	}
	switch {
	case !u.IsAbs() && u.Host == "" && strings.HasPrefix(r.URL, "/") && !r.elsewhere():
		return url.Parse(c.at.graph.String() + r.URL)
	case u.User != nil || u.Host == "":
	case r.elsewhere() && (u.Scheme == "https" || u.Scheme == "http" && loopback(u) && loopback(c.at.graph)):
		return u, nil
	case !r.elsewhere() && sameOrigin(u, c.at.graph):
		return u, nil
	}
	return nil, fmt.Errorf("a call to %s: %w", short(u.Host, 100), ErrOtherHost)
}

func sameOrigin(a, b *url.URL) bool {
	return strings.EqualFold(a.Scheme, b.Scheme) && strings.EqualFold(a.Hostname(), b.Hostname()) && portOf(a) == portOf(b)
}

func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"https": "443", "http": "80"}[strings.ToLower(u.Scheme)]
}

// immutable is on every call: ids that stay while an item moves within its mailbox.
const immutable = `IdType="ImmutableId"`

// prefer joins what the client and the caller prefer into the one header that Graph reads.
func (r Request) prefer() string {
	all := []string{immutable}
	if r.PageSize > 0 {
		all = append(all, "odata.maxpagesize="+strconv.Itoa(r.PageSize))
	}
	for _, p := range r.Header.Values("Prefer") {
		if !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return strings.Join(all, ", ")
}

// fill sets the headers, except for the token.
func (r Request) fill(h http.Header, id string) {
	for k, v := range r.Header {
		if k = http.CanonicalHeaderKey(k); k != "Authorization" {
			h[k] = slices.Clone(v)
		}
	}
	if h.Get("User-Agent") == "" {
		h.Set("User-Agent", "keepwatch")
	}
	if r.ContentType != "" {
		h.Set("Content-Type", r.ContentType)
	} else if r.Body != nil && h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json")
	}
	if r.elsewhere() {
		return
	}
	h.Set("Prefer", r.prefer())
	h.Set("client-request-id", id)
	h.Set("return-client-request-id", "false")
}

func (r Request) body() io.Reader {
	switch {
	case r.Stream != nil:
		return r.Stream
	case r.Body != nil:
		return bytes.NewReader(r.Body)
	}
	return nil
}

// newID makes a client-request-id, a random UUID.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails (crypto/rand)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
