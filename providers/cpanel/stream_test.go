package cpanel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"keepwatch"
)

const archivePath = "/download?skipencode=1&file=%2Fhome%2Fruthin%2Fbackup-1.2.2026_03-04-05_ruthin.tar.gz"

// archive makes bytes that begin like a gzip file and look like one.
func archive(seed uint64, size int) []byte {
	b := make([]byte, size)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	_, _ = r.Read(b)
	copy(b, []byte{0x1f, 0x8b})
	return b
}

// manner says how a host answers a range.
type manner int

const (
	givesRest  manner = iota // 206
	givesWhole               // 200
	givesWrong               // 206 with another range than was asked for, then 200
	givesMix                 // now this, now that
)

// cutting serves a file and cuts the connection at each of some offsets, once.
func cutting(file []byte, cuts []int, usual manner, requests *atomic.Int64) http.HandlerFunc {
	next := make(chan []int, 1)
	next <- cuts
	return func(w http.ResponseWriter, r *http.Request) {
		n := requests.Add(1)
		from, how := 0, usual
		if how == givesMix {
			how = []manner{givesRest, givesWhole, givesWrong}[n%3]
		}
		if asked := strings.TrimSuffix(strings.TrimPrefix(r.Header.Get("Range"), "bytes="), "-"); asked != "" && how != givesWhole {
			from, _ = strconv.Atoi(asked)
			told := from
			if how == givesWrong {
				told++
			}
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", told, len(file)-1, len(file)))
			w.Header().Set("Content-Length", strconv.Itoa(len(file)-told))
			w.WriteHeader(http.StatusPartialContent)
			if how == givesWrong {
				_, _ = w.Write(file[told:])
				return
			}
		} else {
			w.Header().Set("Content-Length", strconv.Itoa(len(file)))
		}
		left := <-next
		for len(left) > 0 && left[0] < from {
			left = left[1:]
		}
		if len(left) == 0 {
			next <- nil
			_, _ = w.Write(file[from:])
			return
		}
		next <- left[1:]
		_, _ = w.Write(file[from:left[0]])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// TestTwoHundredCuts: the bytes are the same, whatever a host makes of a range. Without
// TLS, of which two hundred handshakes under the race detector take a quarter of a
// minute; TestCutsOverTLS has fewer of them.
func TestTwoHundredCuts(t *testing.T) {
	for name, how := range map[string]manner{"206": givesRest, "200": givesWhole, "wrong 206": givesWrong, "mixed": givesMix} {
		t.Run(name, func(t *testing.T) {
			size := 256 << 10
			if how == givesRest {
				size = 4 << 20
			}
			mux := http.NewServeMux()
			plain := httptest.NewServer(mux)
			defer plain.Close()
			c := testClient(t, keepwatch.Hosting{URL: "https://127.0.0.1", User: "ruthin", Token: keepwatch.NewSecret(testToken)}, nil)
			c.base, _ = url.Parse(plain.URL)
			cutUp(t, c, mux, size, 200, how)
		})
	}
}

func TestCutsOverTLS(t *testing.T) {
	h := newTestHost(t)
	cutUp(t, testClient(t, h.account(), nil), h.mux, 1<<20, 20, givesMix)
}

// cutUp downloads a file of some size that is cut at random offsets.
func cutUp(t *testing.T, c *client, mux *http.ServeMux, size, times int, how manner) {
	t.Helper()
	file := archive(1, size)
	cuts := make([]int, times)
	for i := range cuts {
		cuts[i] = rand.IntN(size + 1)
	}
	cuts[0], cuts[1] = 0, size // before the first byte, and after the last
	slices.Sort(cuts)
	var requests atomic.Int64
	mux.HandleFunc("/download", cutting(file, cuts, how, &requests))
	// A cut before the first two bytes is no stream yet, and the caller's to try again.
	var s *stream
	for s == nil {
		var err error
		if s, err = c.stream(t.Context(), archivePath, int64(size)); err != nil && keepwatch.KindOf(err) != keepwatch.KindTransient {
			t.Fatal(err)
		}
	}
	defer s.Close()
	s.patience = 0
	s.pause = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	got, err := io.ReadAll(s)
	if err != nil || !bytes.Equal(got, file) {
		t.Fatalf("%d of %d bytes, equal %v, %v", len(got), size, bytes.Equal(got, file), err)
	}
	if n := requests.Load(); n < int64(times*3/4) {
		t.Errorf("%d requests: it was hardly cut", n)
	}
}

// scripted is an opener for streams without a network: each call gets the next answer.
type scripted struct {
	answers []func(from int64) (*body, error)
	froms   []int64
}

func (s *scripted) open(_ context.Context, from int64) (*body, error) {
	s.froms = append(s.froms, from)
	i := min(len(s.froms), len(s.answers)) - 1
	return s.answers[i](from)
}

// gives is a connection that gives some bytes and then fails with err (nil: io.EOF).
func gives(b []byte, from, size int64, err error) func(int64) (*body, error) {
	return func(int64) (*body, error) {
		var r io.Reader = bytes.NewReader(b)
		if err != nil {
			r = io.MultiReader(r, iotest.ErrReader(err))
		}
		return &body{ReadCloser: io.NopCloser(r), size: size, from: from, way: wayToken}, nil
	}
}

func refuses(err error) func(int64) (*body, error) {
	return func(int64) (*body, error) { return nil, err }
}

var errReset = errors.New("connection reset by peer")

func newStream(ctx context.Context, o *scripted, known int64) (*stream, error) {
	s := streamOf(ctx, o.open, slog.New(slog.DiscardHandler), "host", known)
	return s, s.start()
}

// TestGivesUp waits longer and longer, and ends after eight tries without a byte.
func TestGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &scripted{answers: []func(int64) (*body, error){gives([]byte("abc"), 0, 10, errReset), refuses(keepwatch.Errorf(keepwatch.KindTransient, "down"))}}
		s, err := newStream(t.Context(), o, 10)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		got, err := io.ReadAll(s)
		wants(t, err, keepwatch.KindTransient, "was cut at 3 of 10 bytes, and did not go on in 8 tries")
		if string(got) != "abc" || len(o.froms) != 9 {
			t.Errorf("%q after %v", got, o.froms)
		}
		// 0.2 + 0.4 + … + 25.6 s, of which the last is the eighth.
		if took := time.Since(began); took != 51*time.Second {
			t.Errorf("took %v", took)
		}
		if _, again := s.Read(make([]byte, 1)); !errors.Is(again, err) {
			t.Errorf("another error the second time: %v", again)
		}
	})
}

// TestOutageWhileItIsStreamed: a host that is away for a quarter of an hour in the middle
// of a download is asked for the rest when it is back, and not for all of it.
func TestOutageWhileItIsStreamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		back := time.Now().Add(15 * time.Minute)
		var froms []int64
		open := func(_ context.Context, from int64) (*body, error) {
			if from > 0 && time.Now().Before(back) {
				return nil, keepwatch.Errorf(keepwatch.KindTransient, "down")
			}
			froms = append(froms, from)
			return gives([]byte("abcdef")[from:max(from, 3)+from], from, 6, errReset)(from)
		}
		s := streamOf(t.Context(), open, slog.New(slog.DiscardHandler), "host", 6)
		s.patience = defaultStall
		if err := s.start(); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(s)
		if took := time.Since(back); err != nil || string(got) != "abcdef" || len(froms) != 2 || froms[1] != 3 || took > longestWait {
			t.Errorf("%q, %v from %v, %v after it was back", got, err, froms, took)
		}
	})
}

// TestProgressCountsAnew: a byte now and then is enough to go on, and the context ends a
// wait.
func TestProgressCountsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := refuses(keepwatch.Errorf(keepwatch.KindTransient, "down"))
		file := "0123456789"
		o := &scripted{answers: []func(int64) (*body, error){gives([]byte(file[:1]), 0, 10, errReset)}}
		for i := 1; i < 9; i++ {
			o.answers = append(o.answers, down, down, down, down, down, down, down, gives([]byte(file[i:i+1]), int64(i), 10, errReset))
		}
		o.answers = append(o.answers, gives([]byte(file[9:]), 9, 10, nil))
		s, err := newStream(t.Context(), o, 10)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(s); err != nil || string(got) != file {
			t.Errorf("%q, %v", got, err)
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute/4)
		defer cancel()
		s, err = newStream(ctx, &scripted{answers: []func(int64) (*body, error){gives([]byte("a"), 0, 10, errReset), down}}, 10)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := io.ReadAll(s); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Minute/4 {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

func TestStreamEnds(t *testing.T) {
	notFound := keepwatch.Errorf(keepwatch.KindNotFound, "the file is not there.")
	for _, tc := range []struct {
		name    string
		known   int64
		answers []func(int64) (*body, error)
		want    string
		kind    keepwatch.Kind
		said    string
	}{
		{"whole", 3, []func(int64) (*body, error){gives([]byte("abc"), 0, 3, nil)}, "abc", 0, ""},
		{"generated", -1, []func(int64) (*body, error){gives([]byte("abc"), 0, -1, nil)}, "abc", 0, ""},
		{"cut after the last byte", 3, []func(int64) (*body, error){gives([]byte("abc"), 0, 3, errReset)}, "abc", 0, ""},
		{"short and closed properly", 3, []func(int64) (*body, error){gives([]byte("a"), 0, -1, nil), gives([]byte("bc"), 1, 3, nil)}, "abc", 0, ""},
		{"generated and cut", -1, []func(int64) (*body, error){gives([]byte("abc"), 0, -1, io.ErrUnexpectedEOF)}, "abc", keepwatch.KindTransient, "makes while it is downloaded"},
		{"longer than known", 2, []func(int64) (*body, error){gives([]byte("abc"), 0, -1, nil)}, "", keepwatch.KindTransient, "longer than the 2 bytes"},
		{"other size at the start", 2, []func(int64) (*body, error){gives([]byte("abc"), 0, 3, nil)}, "", keepwatch.KindTransient, "it has 3 bytes now, and had 2"},
		{"other size after a cut", 3, []func(int64) (*body, error){gives([]byte("a"), 0, 3, errReset), gives([]byte("bcd"), 1, 4, nil)}, "a", keepwatch.KindTransient, "it has 4 bytes now"},
		{"other bytes after a cut", 3, []func(int64) (*body, error){gives([]byte("ab"), 0, 3, errReset), gives([]byte("axc"), 0, 3, nil)}, "ab", keepwatch.KindTransient, "its first 2 bytes are not the same"},
		{"cut while it is skipped", 3, []func(int64) (*body, error){gives([]byte("ab"), 0, 3, errReset), gives([]byte("a"), 0, 3, errReset), gives([]byte("abc"), 0, 3, nil)}, "abc", 0, ""},
		{"gone after a cut", 3, []func(int64) (*body, error){gives([]byte("ab"), 0, 3, errReset), refuses(notFound)}, "ab", keepwatch.KindNotFound, "not there"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, err := newStream(t.Context(), &scripted{answers: tc.answers}, tc.known)
				var got []byte
				if err == nil {
					got, err = io.ReadAll(s)
				}
				if string(got) != tc.want {
					t.Errorf("%q, want %q", got, tc.want)
				}
				if tc.said != "" {
					wants(t, err, tc.kind, tc.said)
				} else if err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestStreamClose(t *testing.T) {
	s, err := newStream(t.Context(), &scripted{answers: []func(int64) (*body, error){gives([]byte("abc"), 0, 3, nil)}}, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	if _, err := s.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("reads on after the end: %v", err)
	}
}
