package graph

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"keepwatch"
)

// TestTries: which calls are made again, how often, and how long that takes.
func TestTries(t *testing.T) {
	dial := &net.OpError{Op: "dial", Err: errors.New("refused")}
	reset := errors.New("connection reset by peer")
	post := Request{Method: "POST", URL: "/x", Body: []byte(`{}`)}
	safe, stream := post, post
	safe.Again = true
	stream.Body, stream.Stream, stream.Length = nil, strings.NewReader("x"), 1
	get := Request{URL: "/x"}
	full := 3 + 6 + 12 + 24 + 48 + 96 + 120
	for _, test := range []struct {
		name    string
		request Request
		status  int
		code    string
		after   string
		err     error
		calls   int
		seconds int
		kind    error
		who     keepwatch.Kind
	}{
		{"get 429", get, 429, "ApplicationThrottled", "", nil, 8, full, ErrThrottled, keepwatch.KindTransient},
		{"get 429 with a time", get, 429, "ApplicationThrottled", "10", nil, 8, 70, ErrThrottled, keepwatch.KindTransient},
		{"get 429 with a long time", get, 429, "ApplicationThrottled", "7200", nil, 8, 7 * 7200, ErrThrottled, keepwatch.KindTransient},
		{"get 429 too long", get, 429, "ApplicationThrottled", "7201", nil, 1, 0, ErrThrottled, keepwatch.KindTransient},
		{"get 503", get, 503, "serviceNotAvailable", "", nil, 8, full, nil, keepwatch.KindTransient},
		{"get 504", get, 504, "UnknownError", "", nil, 8, full, nil, keepwatch.KindTransient},
		{"get 502", get, 502, "BadGateway", "", nil, 8, full, nil, keepwatch.KindTransient},
		{"get 500", get, 500, "ErrorInternalServerError", "", nil, 1, 0, nil, keepwatch.KindInternal},
		{"get 500 that passes", get, 500, "ErrorInternalServerTransientError", "", nil, 8, full, nil, keepwatch.KindTransient},
		{"get broken", get, 0, "", "", reset, 8, full, ErrUnreachable, keepwatch.KindTransient},
		{"get 404", get, 404, "ErrorItemNotFound", "", nil, 1, 0, ErrNotFound, keepwatch.KindNotFound},
		{"get 403", get, 403, "ErrorAccessDenied", "", nil, 1, 0, ErrDenied, keepwatch.KindAttention},
		{"post 429", post, 429, "ApplicationThrottled", "5", nil, 8, 35, ErrThrottled, keepwatch.KindTransient},
		{"post 503", post, 503, "serviceNotAvailable", "", nil, 1, 0, nil, keepwatch.KindTransient},
		{"post broken", post, 0, "", "", reset, 1, 0, ErrUnreachable, keepwatch.KindTransient},
		{"post not sent", post, 0, "", "", dial, 8, full, ErrUnreachable, keepwatch.KindTransient},
		{"safe post 503", safe, 503, "serviceNotAvailable", "", nil, 8, full, nil, keepwatch.KindTransient},
		{"stream 429", stream, 429, "ApplicationThrottled", "5", nil, 1, 0, ErrThrottled, keepwatch.KindTransient},
		{"stream not sent", stream, 0, "", "", dial, 1, 0, ErrUnreachable, keepwatch.KindTransient},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{fail: func(*http.Request) error { return test.err }}
				f.serve = func(w http.ResponseWriter, r *http.Request) {
					if test.after != "" {
						w.Header().Set("Retry-After", test.after)
					}
					refuse(w, test.status, test.code, "why")
				}
				start := time.Now()
				_, err := f.client(t).Do(t.Context(), alis, test.request)
				if f.count() != test.calls || int(time.Since(start).Seconds()) != test.seconds {
					t.Errorf("%d calls in %s, want %d in %d s", f.count(), time.Since(start), test.calls, test.seconds)
				}
				var e *Error
				if !errors.As(err, &e) || test.kind != nil && !errors.Is(err, test.kind) || keepwatch.KindOf(err) != test.who {
					t.Errorf("%v (%s)", err, keepwatch.KindOf(err))
				}
				if test.who != keepwatch.KindInternal && !strings.HasSuffix(keepwatch.Sentence(err), ".") {
					t.Errorf("the sentence: %q", keepwatch.Sentence(err))
				}
			})
		})
	}
}

func TestRetryAfterDate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, f := time.Now(), &fake{}
		f.serve = func(w http.ResponseWriter, r *http.Request) {
			if f.count() == 1 {
				w.Header().Set("Retry-After", start.Add(90*time.Second).UTC().Format(http.TimeFormat))
				refuse(w, 503, "serviceNotAvailable", "")
				return
			}
			ok(w, r)
		}
		if err := f.client(t).JSON(t.Context(), alis, Request{URL: "/x"}, nil); err != nil {
			t.Fatal(err)
		}
		if passed := time.Since(start); passed < 90*time.Second || passed > 92*time.Second {
			t.Errorf("it went on after %s", passed)
		}
	})
}

func TestHeaders(t *testing.T) {
	f := &fake{serve: ok}
	r := Request{URL: "/users", PageSize: 50, Header: http.Header{"Prefer": {`outlook.body-content-type="text"`}, "Authorization": {"Bearer other"}}}
	if err := f.client(t).JSON(t.Context(), "", r, nil); err != nil {
		t.Fatal(err)
	}
	h := f.seen[0].Header
	if got, want := h.Get("Prefer"), `IdType="ImmutableId", odata.maxpagesize=50, outlook.body-content-type="text"`; got != want {
		t.Errorf("Prefer: %s", got)
	}
	if len(h.Get("client-request-id")) != 36 || h.Get("Authorization") != "Bearer token-1" || len(h.Values("Authorization")) != 1 {
		t.Errorf("headers: %v", h)
	}
}

// TestSlow: a head that does not come, and a body that falls silent, end the call, and a
// caller that takes its time does not.
func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{latency: time.Hour, serve: ok}
		c := f.client(t)
		if _, err := c.tokens.get(t.Context(), ""); !errors.Is(err, ErrUnreachable) {
			t.Errorf("a token from a dead sign-in: %v", err)
		}
		f.latency = 0
		if _, err := c.tokens.get(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		f.latency = time.Hour
		_, err := c.Do(t.Context(), alis, Request{Method: "POST", URL: "/x", Body: []byte("{}")})
		var e *Error
		if !errors.As(err, &e) || e.Code != codeTimeout {
			t.Errorf("%v", err)
		}
	})
}

// bodies answers with a body that the test writes.
type bodies struct {
	*fake
	body func(ctx context.Context) io.Reader
}

func (b bodies) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.fake.RoundTrip(r)
	if err == nil && r.URL.Host == "graph.example" {
		answer.Body = io.NopCloser(b.body(r.Context()))
	}
	return answer, err
}

// silent gives nothing until the call ends.
type silent struct{ ctx context.Context }

func (s silent) Read([]byte) (int, error) { <-s.ctx.Done(); return 0, s.ctx.Err() }

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tail := func(ctx context.Context) io.Reader {
			first := true
			return readerFunc(func(p []byte) (int, error) {
				if !first || ctx.Err() != nil {
					return 0, cmp.Or(ctx.Err(), io.EOF)
				}
				first = false
				return copy(p, "tail"), nil
			})
		}
		b := bodies{fake: &fake{serve: ok}, body: tail}
		config := b.config()
		config.Transport = &b
		c, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		read := func(r Request, pause time.Duration) (string, error) {
			r.URL = "/x/$value"
			answer, err := c.Do(t.Context(), alis, r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			_ = sleep(t.Context(), wallClock{}, pause)
			data, err := io.ReadAll(answer.Body)
			return string(data), err
		}
		if got, err := read(Request{}, time.Hour); got != "tail" || err != nil {
			t.Errorf("a patient caller: %q, %v", got, err)
		}
		if got, err := read(Request{Limit: 4}, 0); got != "tail" || err != nil {
			t.Errorf("just the limit: %q, %v", got, err)
		}
		if got, err := read(Request{Limit: 3}, 0); got != "tai" || !errors.Is(err, ErrTooLarge) {
			t.Errorf("over the limit: %q, %v", got, err)
		}
		b.body = func(ctx context.Context) io.Reader { return io.MultiReader(strings.NewReader("he"), silent{ctx}) }
		start := time.Now()
		if got, err := read(Request{}, 0); got != "he" || !errors.Is(err, ErrUnreachable) || keepwatch.KindOf(err) != keepwatch.KindTransient || time.Since(start) != idleTime {
			t.Errorf("silence: %q, %v after %s", got, err, time.Since(start))
		}
		n := 0
		b.body = func(context.Context) io.Reader {
			if n++; n < 3 {
				return io.MultiReader(strings.NewReader(`{"a":`), iotest.ErrReader(io.ErrUnexpectedEOF))
			}
			return strings.NewReader(`{"a":7}`)
		}
		var got struct{ A int }
		if err := c.JSON(t.Context(), alis, Request{URL: "/x"}, &got); err != nil || got.A != 7 || n != 3 {
			t.Errorf("broken twice: %v, %v, %d", got, err, n)
		}
		if free := c.laneOf(alis).free; free != mailboxInFlight {
			t.Errorf("%d places are free at the end", free)
		}
	})
}

// TestOtherHost: the token goes to no other place, whatever a caller or an answer says.
func TestOtherHost(t *testing.T) {
	f := &fake{serve: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "https://evil.example/")
		w.WriteHeader(http.StatusFound)
	}}
	c := f.client(t)
	for _, address := range []string{
		"https://evil.example/v1.0/users", "http://graph.example/v1.0/users", "https://graph.example:8443/x", "//evil.example/x",
		"https://graph.example@evil.example/x", "https://u:p@graph.example/x", "users", "", "https://graph.example.evil.example/", "\x7f",
	} {
		if _, err := c.Do(t.Context(), alis, Request{URL: address}); !errors.Is(err, ErrOtherHost) {
			t.Errorf("%q: %v", address, err)
		}
	}
	if f.count() != 0 {
		t.Fatalf("%d calls were made", f.count())
	}
	if _, err := c.Do(t.Context(), alis, Request{URL: "https://GRAPH.example:443/v1.0/users"}); err == nil || f.count() != 1 {
		t.Errorf("a redirect: %v after %d calls", err, f.count())
	}
	if _, err := c.Do(t.Context(), alis, Request{Method: "PUT", URL: "https://outlook.example/upload?authtoken=x", Body: []byte("x"), Anonymous: true}); err == nil {
		t.Error("the fake needs a token")
	}
	if h := f.seen[1].Header; h.Get("Authorization") != "" || h.Get("Prefer") != "" {
		t.Errorf("an upload session got %v", h)
	}
}

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{serve: func(w http.ResponseWriter, _ *http.Request) { refuse(w, 503, "x", "") }}
		stopped := errors.New("stopped by Ben")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(4*time.Second, func() { cancel(stopped) })
		if _, err := f.client(t).Do(ctx, alis, Request{URL: "/x"}); !errors.Is(err, stopped) {
			t.Errorf("%v", err)
		}
	})
}

func TestUploadWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{serve: ok}
		c, start := f.client(t), time.Now()
		body := make([]byte, 4<<20)
		for range 36 {
			if err := c.JSON(t.Context(), alis, Request{Method: "PATCH", URL: "/x", Body: body}, nil); err != nil {
				t.Fatal(err)
			}
		}
		if passed := time.Since(start); passed < 5*time.Minute || passed > 5*time.Minute+2*time.Second {
			t.Errorf("144 MiB took %s", passed)
		}
	})
}

func TestErrorKinds(t *testing.T) {
	for _, test := range []struct {
		status int
		code   string
		inner  string
		kind   error
	}{
		{410, "resyncRequired", "", ErrResync}, {410, "x", "", ErrResync}, {400, "syncStateNotFound", "", ErrResync}, {404, "SyncStateNotFound", "", ErrResync},
		{404, "ErrorSyncFolderNotFound", "", ErrResync}, {400, "SyncStateInvalid", "", ErrResync}, {404, "itemNotFound", "", ErrNotFound},
		{500, "ErrorMimeContentConversionFailed", "", ErrUnconvertible}, {500, "UnknownError", "ErrorCorruptData", ErrUnconvertible}, {409, "x", "", ErrExists},
		{403, "x", "", ErrDenied}, {400, "RequestBroker--ParseUri", "", nil},
	} {
		f := &fake{}
		f.serve = func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(test.status)
			fmt.Fprintf(w, `{"error":{"code":%q,"message":"m","innererror":{"code":%q,"request-id":"r"}}}`, test.code, test.inner)
		}
		_, err := f.client(t).Do(t.Context(), alis, Request{URL: "/x?$deltatoken=quartz"})
		var e *Error
		if !errors.As(err, &e) || e.RequestID != "r" || e.ClientID == "" || strings.Contains(err.Error(), "quartz") {
			t.Fatalf("%+v", err)
		}
		for _, kind := range []error{ErrResync, ErrNotFound, ErrUnconvertible, ErrExists, ErrDenied, ErrThrottled} {
			if errors.Is(err, kind) != (kind == test.kind) {
				t.Errorf("%d %s/%s: %v is %t", test.status, test.code, test.inner, kind, errors.Is(err, kind))
			}
		}
	}
}

func TestDenied(t *testing.T) {
	c := (&fake{}).client(t)
	for _, test := range [][3]string{
		{alis, "/users/x/messages", `"Application Mail.Read" for this mailbox`}, {alis, "/admin/exchange/mailboxes/x/exportItems", `"Application MailboxItem.Export" for`},
		{alis, "/users/x/authentication/methods", "lacks the application permission UserAuthenticationMethod.Read.All"},
		{"", "/applications", "lacks the application permission Application.Read.All"}, {"", "/elsewhere", "Check its permissions"},
	} {
		err := c.say(test[0], &Error{Status: 403, Code: "ErrorAccessDenied", Method: "GET", Path: test[1]})
		if !strings.Contains(keepwatch.Sentence(err), test[2]) {
			t.Errorf("%s: %v", test[1], err)
		}
	}
}

func TestPermission(t *testing.T) {
	for _, test := range [][3]string{
		{"GET", "/v1.0/users/x/mailFolders/y/messages/delta", "Mail.Read"}, {"POST", "/users/x/mailFolders", "Mail.ReadWrite"},
		{"GET", "/users/x/calendarView/delta", "Calendars.Read"}, {"POST", "/users/x/contactFolders", "Contacts.ReadWrite"},
		{"GET", "/applications", "Application.Read.All"}, {"GET", "/users/x", "User.Read.All"}, {"GET", "/elsewhere", ""},
		{"GET", "/roleManagement/directory/roleEligibilityScheduleInstances", "RoleEligibilitySchedule.Read.Directory"}, {"GET", "/roleManagement/directory/roleAssignments", "RoleManagement.Read.Directory"},
		{"GET", "/roleManagement/directory/roleAssignmentScheduleInstances", "RoleAssignmentSchedule.Read.Directory"}, {"GET", "/groups/x/transitiveMembers", "GroupMember.Read.All"},
	} {
		if got := Permission(test[0], test[1]); got != test[2] {
			t.Errorf("%s %s: %s", test[0], test[1], got)
		}
	}
}

// TestNoMailbox: an address that the tenant does not know is told as such, and an item
// that is gone is not taken for it.
func TestNoMailbox(t *testing.T) {
	for code, want := range map[string]string{
		"ErrorInvalidUser": "knows no mailbox " + alis, "Request_ResourceNotFound": "knows no mailbox " + alis, "ResourceNotFound": "knows no mailbox " + alis,
		"ErrorItemNotFound": "was deleted or moved",
	} {
		f := &fake{serve: func(w http.ResponseWriter, r *http.Request) { refuse(w, 404, code, "why") }}
		err := f.client(t).JSON(t.Context(), alis, Request{URL: "/users/" + alis + "/mailFolders"}, nil)
		if got := keepwatch.Sentence(err); !strings.Contains(got, want) || keepwatch.KindOf(err) != keepwatch.KindNotFound {
			t.Errorf("%s: %q", code, got)
		}
	}
}
