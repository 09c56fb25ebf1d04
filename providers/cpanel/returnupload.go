package cpanel

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"sync"
	"time"

	"keepwatch"
)

// piece is what is sent for an item, as it was measured before anything of it goes: a
// host may refuse an upload whose length is not said, and what is damaged must be
// known while nothing is lost yet.
type piece struct {
	file   string // how the upload is called
	size   int64
	sum    [sha256.Size]byte // of what is taken out of a full backup
	parts  int64             // how many entries that are
	stored int64             // size of the file in the archive
	left   leftOut
}

// measure says what is going to be sent. A file that goes as it is has its length and
// its SHA-256 in the list of contents, and is compared with them while it goes; for a
// part of a full backup all of that is read once here.
func (e *errand) measure(ctx context.Context) (piece, error) {
	entry, content, err := e.from.OpenEntry(ctx, e.item.Archive, e.item.Path)
	if err != nil {
		return piece{}, err
	}
	defer content.Close()
	p := piece{file: e.uploadName(), size: entry.Size, stored: entry.Size}
	if e.item.Inner == "" {
		return p, nil
	}
	sum := sha256.New()
	var size counted
	t, err := takeApart(&counting{content, func(n int64) { e.progress(p, n, false) }}, e.item.Inner, string(e.user.Home), io.MultiWriter(sum, &size), 0)
	if err != nil {
		return piece{}, err
	}
	p.size, p.parts, p.left = int64(size), t.entries, t.left
	sum.Sum(p.sum[:0])
	return p, nil
}

// errTwoContents says that a second reading of an archive gave something else.
var errTwoContents = errors.New("the archive gave another content when it was read a second time")

// open gives a piece to be sent. Its reader ends without an error only if all of it is
// what was measured. interrupt ends a read that is under way; stop, once none is, ends
// what is behind it.
func (e *errand) open(ctx context.Context, p piece) (content io.Reader, interrupt, stop func(), err error) {
	_, in, err := e.from.OpenEntry(ctx, e.item.Archive, e.item.Path)
	if err != nil {
		return nil, nil, nil, err
	}
	if e.item.Inner == "" {
		return in, func() {}, func() { in.Close() }, nil
	}
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer in.Close()
		sum := sha256.New()
		var size counted
		_, err := takeApart(in, e.item.Inner, string(e.user.Home), io.MultiWriter(sum, &size, w), p.parts)
		if err == nil && (int64(size) != p.size || [sha256.Size]byte(sum.Sum(nil)) != p.sum) {
			err = keepwatch.Errorf(keepwatch.KindAttention, "The archive %s was read twice and was not the same both times, so the %s is not put back. Verify the archive.", e.item.Archive, e.item.Name).Because(errTwoContents)
		}
		w.CloseWithError(err)
	}()
	return r, func() { r.Close() }, func() { <-done }, nil
}

// upload sends a piece by send. It reports whether the host may have all of it; last is
// called before the last byte goes.
func (e *errand) upload(ctx context.Context, p piece, last func() error, send func(content io.Reader) error) (whole bool, err error) {
	content, interrupt, stop, err := e.open(ctx, p)
	if err != nil {
		return false, err
	}
	defer stop()
	defer interrupt()
	g := &gate{in: bufio.NewReaderSize(content, 64<<10), sent: func(n int64) { e.progress(p, n, true) }, last: last}
	// What is in front of a database in a full backup takes its time to pass, and a host
	// that gets nothing meanwhile would hang up: it is called when there is something.
	if _, err := g.in.Peek(g.in.Size()); err != nil && err != io.EOF {
		return false, err
	}
	err = send(g)
	interrupt()
	whole, trouble := g.shut() // an early answer leaves a read behind
	if trouble != nil && !errors.Is(trouble, io.ErrClosedPipe) {
		err = trouble // of the archive, and not of the connection
	}
	return whole, err
}

// gate gives a content through, all but its last byte, which goes only after the
// content has come to its end without an error and last has agreed. So nobody can take
// what was sent for the whole before that.
type gate struct {
	in   *bufio.Reader
	sent func(n int64) // so many bytes went
	last func() error

	mu      sync.Mutex // held while it is read
	count   int64
	whole   bool
	trouble error
}

// shut ends it: nothing is read of it after that. It reports whether the last byte
// may have gone, and what kept it from going.
func (g *gate) shut() (whole bool, trouble error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	trouble = g.trouble
	g.trouble = errShut
	return g.whole, trouble
}

var errShut = errors.New("the upload is over")

func (g *gate) Read(b []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.trouble != nil:
		return 0, g.trouble
	case len(b) == 0:
		return 0, nil
	}
	if !g.whole {
		ahead, err := g.in.Peek(2)
		if len(ahead) == 2 {
			n, err := g.in.Read(b[:min(len(b), g.in.Buffered()-1)])
			return g.gave(n, err)
		}
		if err == io.EOF {
			err = g.last()
		}
		if err != nil {
			g.trouble = err
			return 0, err
		}
		g.whole = true
	}
	n, err := g.in.Read(b)
	return g.gave(n, err)
}

func (g *gate) gave(n int, err error) (int, error) {
	g.count += int64(n)
	g.sent(g.count)
	return n, err
}

// counted is a writer that counts.
type counted int64

func (c *counted) Write(b []byte) (int, error) {
	*c += counted(len(b))
	return len(b), nil
}

// counting is a reader that says how much was read.
type counting struct {
	io.Reader
	said func(n int64)
}

// reportEvery is how often progress is reported, at most.
const reportEvery = 500 * time.Millisecond

// progress says how far an item is: what is taken out of a full backup is read twice,
// and sent while it is read the second time.
func (e *errand) progress(p piece, n int64, sending bool) {
	now := e.pace.now()
	if now.Sub(e.told) < reportEvery && !(sending && n == p.size) { // that the host has all of it is always said
		return
	}
	e.told = now
	done, total := n, p.stored
	if e.item.Inner != "" {
		total = 2 * p.stored
		if sending && p.size > 0 {
			done = p.stored + int64(float64(p.stored)*float64(n)/float64(p.size))
		}
	}
	e.job.Report(keepwatch.Progress{Bytes: done, TotalBytes: total})
}

// uploadName gives the name under which an item is sent. The host reads from it what
// the file is: user_db.sql.gz, aliases-example.com.gz and filter_info.user.yaml.gz
// must be called so. Home directories may have a number at their end
// ("backup-cpuser.tld-9-10-2019_1.tar.gz" in cPanel's UAPI document), which says here
// which run it is of.
func (e *errand) uploadName() string {
	base := path.Base(e.item.Path)
	switch {
	case e.item.Part == keepwatch.PartHome:
		stem, ok := strings.CutSuffix(base, ".tar.gz")
		if e.item.Inner != "" || !ok || !strings.HasPrefix(stem, "backup-") {
			stem = fmt.Sprintf("backup-%s-%s", e.user.Domain, e.item.At.Format("1-2-2006"))
		}
		return fmt.Sprintf("%s_%d%s.tar.gz", stem, e.job.Run, e.item.At.Format("150405"))
	case e.item.Inner == "":
		return base
	case e.item.Part == keepwatch.PartForwarders:
		return "aliases-" + path.Base(e.item.Inner) + ".gz"
	case e.item.Part == keepwatch.PartFilters:
		return "filter_info." + e.account.User + ".yaml.gz"
	}
	return strings.TrimPrefix(e.item.Part, keepwatch.PartDatabase) + ".sql.gz"
}
