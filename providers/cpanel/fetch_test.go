package cpanel

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"keepwatch"
)

// sink stores one file, as a pack of the vault does.
type sink struct {
	got   []byte
	notes []keepwatch.Note
}

func (s *sink) Add(keepwatch.Entry, io.Reader) error { return errors.New("not one file") }
func (s *sink) Top(keepwatch.Entry) error            { return errors.New("not one file") }
func (s *sink) Note(n keepwatch.Note) error          { s.notes = append(s.notes, n); return nil }
func (s *sink) Single(_ keepwatch.Entry, content io.Reader) (err error) {
	s.got, err = io.ReadAll(content)
	return err
}

// broken fails after its text.
type broken struct {
	io.Reader
	err error
}

func (b broken) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = b.err
	}
	return n, err
}

// cut is the beginning of something compressed that is no archive.
func cut(t *testing.T) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	for i := range 2000 {
		fmt.Fprintln(z, i)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()[:1000]
}

func TestFetchOfWhatGoesWrong(t *testing.T) {
	down := keepwatch.Errorf(keepwatch.KindTransient, "The connection broke.")
	for _, c := range []struct {
		name   string
		remote func(r *remote)
		read   func(f *fakeHost, whole []byte) (io.ReadCloser, error)
		kind   keepwatch.Kind
		want   string
		again  bool // another backup is asked for
	}{
		{name: "it is still written", read: func(f *fakeHost, b []byte) (io.ReadCloser, error) {
			f.files[mine].state = "inprogress"
			return io.NopCloser(bytes.NewReader(b)), nil
		}, kind: keepwatch.KindTransient, want: "before it was complete"},
		{name: "it has grown since", read: func(f *fakeHost, b []byte) (io.ReadCloser, error) {
			f.files[mine].size++
			return io.NopCloser(bytes.NewReader(b)), nil
		}, kind: keepwatch.KindTransient, want: "had 1000 B when its download began and has 1001 B now"},
		{name: "it is no archive", read: func(f *fakeHost, b []byte) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(b)), nil
		}, kind: keepwatch.KindAttention, want: "nothing of it was kept. The archive is damaged"},
		{name: "the quota is full too", read: func(f *fakeHost, b []byte) (io.ReadCloser, error) {
			f.limit, f.used = 100<<20, 100<<20
			return io.NopCloser(bytes.NewReader(b)), nil
		}, kind: keepwatch.KindAttention, want: "its quota was probably filled"},
		{name: "less comes than the host said", read: func(f *fakeHost, b []byte) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(b[:900])), nil
		}, kind: keepwatch.KindTransient, want: "has 1,000 bytes, and 900 came"},
		{name: "the connection breaks for good", read: func(f *fakeHost, b []byte) (io.ReadCloser, error) {
			return io.NopCloser(broken{bytes.NewReader(b[:900]), down}), nil
		}, kind: keepwatch.KindTransient, want: "The connection broke."},
		{name: "somebody removes it", read: func(f *fakeHost, b []byte) (io.ReadCloser, error) {
			delete(f.files, mine)
			return nil, keepwatch.Errorf(keepwatch.KindNotFound, "Not there.")
		}, kind: keepwatch.KindAttention, want: "is not in the home of the account ruthin any more"},
		{name: "who began it removes it in the middle", remote: func(r *remote) { r.Others = "somebody else's" }, read: func(f *fakeHost, b []byte) (io.ReadCloser, error) {
			delete(f.files, mine)
			return io.NopCloser(broken{bytes.NewReader(b[:900]), down}), nil
		}, kind: keepwatch.KindTransient, want: "has removed it while it was downloaded. A new one is made.", again: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t)
			whole := cut(t)
			f.files[mine] = &fakeFile{size: int64(len(whole)), state: "ready"}
			f.read = func(string, int64) (io.ReadCloser, error) {
				f.mu.Lock()
				defer f.mu.Unlock()
				return c.read(f, whole)
			}
			a := newAccount(f)
			a.job.Found = func(keepwatch.Inside) { t.Error("something is said to be inside") }
			r := remote{Version: remoteVersion, Home: "/home/ruthin", Told: true, Name: mine, Want: want{User: "ruthin"}}
			if c.remote != nil {
				c.remote(&r)
			}
			if err := r.keep(a.job); err != nil {
				t.Fatal(err)
			}
			err := a.Fetch(t.Context(), a.job, &sink{})
			if keepwatch.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v (%v)", err, keepwatch.KindOf(err))
			}
			if after := a.remote(); after.Fetched || (after.Name == "") != c.again {
				t.Errorf("%+v", after)
			}
		})
	}
}

// TestFetchWhatOthersRemovedBefore: what was waited for is gone, and one of our own is
// made within the step.
func TestFetchWhatOthersRemovedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		whole := cut(t)
		f.begin = func() { f.grow(mine, int64(len(whole)), 100, "ready") }
		f.read = func(string, int64) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(whole)), nil }
		a := newAccount(f)
		r := remote{Version: remoteVersion, Home: "/home/ruthin", Told: true, Name: theirs, Others: "somebody else's", Want: want{User: "ruthin"}}
		if err := r.keep(a.job); err != nil {
			t.Fatal(err)
		}
		err := a.Fetch(t.Context(), a.job, &sink{})
		if !errors.Is(err, errUnfit) { // it got as far as the proof
			t.Error(err)
		}
		if n := f.count(asked); n != 1 || a.remote().Name != mine {
			t.Errorf("asked %d times, %+v", n, a.remote())
		}
	})
}

// TestFetchIsCancelled: it ends at once, however slow the host and the sink are.
func TestFetchIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		f.files[mine] = &fakeFile{size: 1 << 30, state: "ready"}
		ctx, cancel := context.WithCancel(t.Context())
		reads := 0
		f.read = func(string, int64) (io.ReadCloser, error) {
			return io.NopCloser(readerFunc(func(b []byte) (int, error) {
				if reads++; reads == 3 {
					cancel()
				}
				return copy(b, "\x1f\x8b"), nil
			})), nil
		}
		a := newAccount(f)
		a.job.Held = mine
		if err := a.Fetch(ctx, a.job, &sink{}); !errors.Is(err, context.Canceled) || reads > 4 {
			t.Errorf("%v after %d reads", err, reads)
		}
	})
}
