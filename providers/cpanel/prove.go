package cpanel

import (
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"sync"

	"keepwatch"
)

// expected is what an archive must hold, as the host said when it was asked for it.
type expected struct {
	user      string
	skipHome  bool     // it was asked for without the home directory
	databases []string // of MySQL or MariaDB; nil: the host did not say
	postgres  []string // nil: the host did not say
	domains   []string // nil: the host did not say
	size      int64    // of the file, as the host listed it; 0: the host did not say
}

// verdict is what a proof has found.
type verdict struct {
	inside keepwatch.Inside
	size   int64 // bytes that came
	// problems are why the archive must not be kept. Their words name what is inside.
	problems []keepwatch.Finding
	// notes are worth knowing: what cannot be told, and what is odd and no damage.
	notes []keepwatch.Note
	// dumps are what was seen of each dump of a database. Those of parts are weighed
	// together by settleDumps when all of a run are there; of a full backup that is
	// done already.
	dumps []dump
}

// prover reads an archive's bytes as they come and judges it at the end, in constant
// memory and without touching a disk. It stands beside what stores the archive, behind
// an io.TeeReader: what is written to it is unpacked in one goroutine and looked
// through in another one, so that the writer waits only where it is faster than both.
//
// Finish or Abandon must be called, or both. Abandon ends everything at any moment and
// may be called from anywhere, also by context.AfterFunc; Write and Finish are called
// one after the other.
type prover struct {
	want     expected
	kind     kind
	in       *ring // as it came
	out      *ring // unpacked
	end      gzipEnd
	seen     sight
	size     int64
	zeros    int64   // bytes of zero at the end of what came
	last     [8]byte // the last bytes that came
	finished bool
	quit     chan struct{}
	stop     func() // closes quit
	done     sync.WaitGroup
	lock     sync.Mutex
	crash    error // a panic in one of the goroutines
}

// kind is what sort of file is proved.
type kind interface {
	// look reads what was unpacked to its end and says what it has seen. It obeys an
	// error of r, and need not read on after one of its own.
	look(r io.Reader) sight
	// names gives what it is called at the beginning of a sentence, and in
	// keepwatch.Finding.What.
	names() (subject, what string)
}

// sight is what was seen of a file's content.
type sight interface {
	// odd reports whether what was unpacked does not fit together somewhere before its
	// end: then the bytes themselves are wrong, and not only cut off.
	odd() bool
	// judge adds what is wrong with the content. It is asked only where all of the file
	// could be unpacked and its checksums were right.
	judge(want expected, v *verdict)
}

// newProver makes a prover of a full backup.
func newProver(want expected) *prover { return startProver(want, fullBackup{}) }

// newHomeProver makes one of a home directory that was downloaded as a part.
func newHomeProver() *prover { return startProver(expected{}, homePart{}) }

// newDumpProver makes one of a database that was downloaded as a part (NAME.sql.gz).
func newDumpProver(db string) *prover { return startProver(expected{}, dumpPart{db}) }

// newTextProver makes one of e-mail forwarders or filters that were downloaded as a
// part; what names it in sentences: "the forwarders of ruthin.example".
func newTextProver(what string) *prover { return startProver(expected{}, textPart{what}) }

func startProver(want expected, k kind) *prover {
	p := &prover{want: want, kind: k, quit: make(chan struct{})}
	p.stop = sync.OnceFunc(func() { close(p.quit) })
	p.in, p.out = newRing(p.quit), newRing(p.quit)
	p.done.Go(func() {
		defer p.caught()
		defer p.out.close()
		p.end = unpack(p.in, p.out)
	})
	p.done.Go(func() {
		defer p.caught()
		p.seen = k.look(p.out)
		_, _ = io.Copy(io.Discard, p.out) // the rest is unpacked all the same, for the checksums
	})
	return p
}

// caught keeps a panic over hostile bytes from ending the program: only the proof fails.
func (p *prover) caught() {
	if crash := recover(); crash != nil {
		p.lock.Lock()
		p.crash = fmt.Errorf("cpanel: panic while an archive was proved: %v\n%s", crash, debug.Stack())
		p.lock.Unlock()
		p.stop()
	}
}

// Write takes the next bytes. It waits while they come faster than they can be looked
// through, and gives an error only after Finish or Abandon.
func (p *prover) Write(b []byte) (int, error) {
	if p.finished {
		return 0, errAbandoned
	}
	n, err := p.in.Write(b)
	p.size += int64(n)
	p.remember(b[:n])
	return n, err
}

// remember keeps what is known of the end of what came.
func (p *prover) remember(b []byte) {
	tail := 0
	for tail < len(b) && b[len(b)-1-tail] == 0 {
		tail++
	}
	if tail < len(b) {
		p.zeros = 0
	}
	p.zeros += int64(tail)
	if len(b) >= len(p.last) {
		copy(p.last[:], b[len(b)-len(p.last):])
		return
	}
	copy(p.last[:], slices.Concat(p.last[len(b):], b))
}

// Finish says what was found, after the last byte. Its error is that of an Abandon, or
// one of the program's own.
func (p *prover) Finish() (verdict, error) {
	if !p.finished {
		p.finished = true
		p.in.close()
	}
	p.done.Wait()
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.crash != nil {
		return verdict{}, p.crash
	}
	select {
	case <-p.quit:
		return verdict{}, errAbandoned
	default:
	}
	v := verdict{size: p.size}
	subject, what := p.kind.names()
	wrong := func(rule, text string) {
		v.problems = append(v.problems, keepwatch.Finding{Rule: rule, What: what, Text: subject + " " + text})
	}
	if whole := p.judgeFile(wrong); whole {
		p.seen.judge(p.want, &v)
	}
	return v, nil
}

// Abandon ends the proof: whoever waits in Write or Finish gets an error. It returns
// when nothing of it runs any more.
func (p *prover) Abandon() {
	p.stop()
	p.done.Wait()
}

// problem adds why an archive must not be kept.
func (v *verdict) problem(rule, what, text string, args ...any) {
	v.problems = append(v.problems, keepwatch.Finding{Rule: rule, What: what, Text: fmt.Sprintf(text, args...)})
}

// note adds what is worth knowing.
func (v *verdict) note(text string, args ...any) {
	v.notes = append(v.notes, keepwatch.Note{Kind: keepwatch.NoteInfo, Text: fmt.Sprintf(text, args...)})
}
