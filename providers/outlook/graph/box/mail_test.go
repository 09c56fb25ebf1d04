package box

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"

	"keepwatch"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
	"keepwatch/providers/outlook/graphtest"
)

func TestMailAsItIs(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	m := letter()
	m.MIME = []byte("From: a@b\r\nSubject: as it is\r\n\r\nbody \xff\x00 end")
	id := w.b.Folder("inbox").Message(m).ID(true)
	c, text := w.content(w.folder(outlook.Mail, "Inbox"), id)
	if text != string(m.MIME) || c.Form != outlook.EML || c.Rebuilt != "" || len(c.Notes) > 0 || c.Item.ID != id {
		t.Errorf("%q %+v", text, c)
	}
}

// TestCutMail: a connection that ends within a mail is an error of the reader, wherever it
// is cut, and however neatly.
func TestCutMail(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	m := letter()
	m.Body = strings.Repeat("All work and no play.\r\n", 4000)
	id := w.b.Folder("inbox").Message(m).ID(true)
	f := w.folder(outlook.Mail, "Inbox")
	it := w.whole(f).items[id]
	for _, after := range []int{1, 100, 5000, 100_000} {
		w.n.Fail(graphtest.Fault{Drop: true, Bytes: after, Match: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "$value") }})
		_, text, err := w.bring(it)
		if err == nil || errors.Is(err, outlook.ErrPoison) || errors.Is(err, outlook.ErrGone) {
			t.Errorf("cut after %d: %d bytes, %v", after, len(text), err)
		}
		w.n.Heal()
	}
	if _, text, err := w.bring(it); err != nil || len(text) < 100_000 {
		t.Errorf("the next time: %v", err)
	}
	neat := &whole{under: io.NopCloser(strings.NewReader("short")), left: 10}
	if _, err := io.ReadAll(counted{neat}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a neat end too early: %v", err)
	}
}

func TestMailThatIsNotThere(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	there := w.b.Folder("inbox")
	deleted, moved, hidden := there.Message(letter()), there.Message(letter()), there.Message(letter())
	f := w.folder(outlook.Mail, "Inbox")
	all := w.whole(f).items
	deleted.Delete()
	moved.Move(w.b.Folder("archive"))
	hidden.Poison(graphtest.Poison{Code: graphtest.ItemNotFound})
	for id, want := range map[string]error{deleted.ID(true): outlook.ErrGone, hidden.ID(true): outlook.ErrGone, moved.ID(true): nil} {
		_, _, err := w.bring(all[id])
		var k *keepwatch.Error
		if !errors.Is(err, want) || err != nil && (!errors.As(err, &k) || k.Kind != keepwatch.KindNotFound) {
			t.Errorf("%v, want %v", err, want)
		}
	}
}

// TestTroubleIsNoPoison: what concerns the mailbox, or passes, says nothing about the item.
func TestTroubleIsNoPoison(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	for _, c := range []graphtest.Fault{
		{Status: 403}, {Status: 500}, {Status: 404, Code: "MailboxNotEnabledForRESTAPI"}, {Status: 404, Code: "ErrorInvalidUser"}, {Status: 429}, {Status: 401},
	} {
		for _, kind := range []outlook.Kind{outlook.Mail, outlook.Contacts, outlook.Calendar} {
			it := outlook.Item{ID: w.b.Folder("inbox").Message(letter()).ID(true), Kind: kind, Folder: w.b.Folder("inbox").ID()}
			c.Times = -1
			w.n.Fail(c)
			_, _, err := w.bring(it)
			if err == nil || errors.Is(err, outlook.ErrPoison) || errors.Is(err, outlook.ErrGone) {
				t.Errorf("%s %d %s: %v", kind, c.Status, c.Code, err)
			}
			w.n.Heal()
		}
	}
	// Without the permission to read contents, the listing goes on, and no mail is poison.
	w = newWorld(t, graphtest.Options{})
	id := w.b.Folder("inbox").Message(letter()).ID(true)
	it := w.whole(w.folder(outlook.Mail, "Inbox")).items[id]
	w.n.AddApp(appID, secret, nil, "Mail.ReadBasic.All")
	w.n.ExpireTokens()
	_, _, err := w.bring(it)
	if !errors.Is(err, graph.ErrDenied) || errors.Is(err, outlook.ErrPoison) {
		t.Errorf("Mail.ReadBasic.All: %v", err)
	}
}

// TestLargeMail: 150 MB pass through in little memory, as they are and rebuilt.
func TestLargeMail(t *testing.T) {
	if testing.Short() {
		t.Skip("150 MB pass through the loopback")
	}
	const size = 150 << 20
	w := newWorld(t, graphtest.Options{})
	m := letter()
	m.Attachments = []graphtest.Attachment{{Name: "film.bin", Size: size}}
	item := w.b.Folder("inbox").Message(m)
	item.Poison(graphtest.Poison{Code: graphtest.MimeConversionFailed})
	it := w.whole(w.folder(outlook.Mail, "Inbox")).items[item.ID(true)]
	c, err := w.box.Content(context.Background(), alis, it)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Body.Close()
	if _, err := io.CopyN(io.Discard, c.Body, 20<<20); err != nil { // the fake has written all of it by now
		t.Fatal(err)
	}
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	sum, n := sha256.New(), int64(20<<20)
	most := uint64(0)
	for {
		m, err := io.CopyN(sum, c.Body, 8<<20)
		n += m
		runtime.GC()
		runtime.ReadMemStats(&now)
		most = max(most, now.HeapAlloc)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if n < size*4/3 || most > before.HeapAlloc+(16<<20) {
		t.Errorf("%d bytes, %d of memory more than the %d of the fake", n, int64(most)-int64(before.HeapAlloc), before.HeapAlloc)
	}
}

// TestManyAtOnce: more readers than lanes, each with a mail that has to be rebuilt, wait for
// one another and never for ever; tokens end meanwhile, and calls are refused.
func TestManyAtOnce(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	there := w.b.Folder("inbox")
	for range 24 {
		m := letter()
		m.Attachments = []graphtest.Attachment{{Name: "one.bin", Size: 300_000}, {Name: "two.bin", Size: 400_000}}
		there.Message(m).Poison(graphtest.Poison{Code: graphtest.MimeConversionFailed})
	}
	f := w.folder(outlook.Mail, "Inbox")
	all := w.whole(f).items
	w.n.ExpireTokens()
	w.n.Throttle(6, 3e9) // fewer than the tries of a call, which one may meet all of
	w.flying = 6 * (lanes - 1)
	var work sync.WaitGroup
	for _, it := range all {
		work.Go(func() {
			c, text, err := w.bring(it)
			if err != nil || c.Rebuilt == "" || len(text) < 700_000*4/3 {
				t.Errorf("%d bytes, %v", len(text), err)
			}
		})
	}
	work.Wait()
}

// TestFaultOfAMoment: a mail is not rebuilt for a fault without a name that goes away; and a
// folder with nothing else in it proves nothing against the mailbox.
func TestFaultOfAMoment(t *testing.T) {
	w := newWorld(t, graphtest.Options{})
	w.b.Folder("archive").Message(letter())
	item := w.b.Folder("inbox", "Alone").Message(letter())
	f := w.folder(outlook.Mail, "Inbox/Alone")
	it := w.whole(f).items[item.ID(true)]
	w.n.Fail(graphtest.Fault{Status: 500, Match: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "$value") }})
	if c, _, err := w.bring(it); err != nil || c.Rebuilt != "" {
		t.Errorf("%q %v", c.Rebuilt, err)
	}
	item.Poison(graphtest.Poison{Code: graphtest.InternalError, MIME: true, Read: true, List: true, Attachments: true})
	if _, _, err := w.bring(it); !errors.Is(err, outlook.ErrPoison) {
		t.Errorf("%v", err)
	}
}
