package cpanel

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
)

// TestAbandon: whoever waits for a proof that nobody needs any more gets an error, and
// nothing of it is left running; synctest sees to that.
func TestAbandon(t *testing.T) {
	good := pack(t, account())
	synctest.Test(t, func(t *testing.T) {
		p := newProver(wanted())
		if _, err := p.Write(good[:len(good)/2]); err != nil {
			t.Fatal(err)
		}
		p.Abandon()
		p.Abandon()
		if _, err := p.Write(good); !errors.Is(err, errAbandoned) {
			t.Errorf("Write after Abandon: %v", err)
		}
		if _, err := p.Finish(); !errors.Is(err, errAbandoned) {
			t.Errorf("Finish after Abandon: %v", err)
		}

		p = newProver(wanted())
		p.Abandon() // before the first byte

		p = newProver(wanted())
		if _, err := p.Write(good); err != nil {
			t.Fatal(err)
		}
		v, err := p.Finish()
		if err != nil || len(v.problems) > 0 {
			t.Errorf("Finish: %v, %v", v, err)
		}
		if _, err := p.Write(good); !errors.Is(err, errAbandoned) {
			t.Errorf("Write after Finish: %v", err)
		}
		p.Abandon()
		if _, err := p.Finish(); !errors.Is(err, errAbandoned) {
			t.Errorf("Finish after it was finished and abandoned: %v", err)
		}
	})
}

// stored packs bytes as they are.
func stored(t *testing.T, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.NoCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// stuck looks through nothing until it is let go.
type stuck struct{ release chan struct{} }

func (stuck) names() (string, string) { return "It", "it" }

func (s stuck) look(io.Reader) sight {
	<-s.release
	return &textSight{}
}

// TestBackPressure: a prover that is slow holds up its writer and takes no more memory,
// and Abandon frees a writer that waits.
func TestBackPressure(t *testing.T) {
	noise := make([]byte, 4<<20)
	if _, err := rand.NewChaCha8([32]byte{2}).Read(noise); err != nil {
		t.Fatal(err)
	}
	b := stored(t, noise)
	synctest.Test(t, func(t *testing.T) {
		k := stuck{make(chan struct{})}
		p := startProver(expected{}, k)
		wrote := make(chan error, 1)
		go func() {
			_, err := p.Write(b)
			wrote <- err
		}()
		synctest.Wait()
		select {
		case err := <-wrote:
			t.Fatalf("4 MiB were taken by a prover that reads nothing: %v", err)
		default:
		}
		go close(k.release)
		p.Abandon()
		if err := <-wrote; !errors.Is(err, errAbandoned) {
			t.Errorf("the writer got %v", err)
		}
	})
}

// wild panics over what it reads.
type wild struct{ stuck }

func (wild) look(io.Reader) sight { panic("a bad archive") }

// TestAPanicEndsTheProofOnly: and neither the program nor the download hangs.
func TestAPanicEndsTheProofOnly(t *testing.T) {
	p := startProver(expected{}, wild{})
	b := pack(t, account())
	var err error
	for range 1000 {
		if _, err = p.Write(b); err != nil {
			break
		}
	}
	if !errors.Is(err, errAbandoned) {
		t.Errorf("Write: %v", err)
	}
	if _, err := p.Finish(); err == nil || !strings.Contains(err.Error(), "a bad archive") {
		t.Errorf("Finish: %v", err)
	}
}

// heap watches how much memory is in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// feed lets a prover read what write packs, and gives the most memory that was in use
// meanwhile above what was before.
func feed(t *testing.T, p *prover, every int64, write func(w *tar.Writer) error) (verdict, int64) {
	t.Helper()
	before, most := heap(), int64(0)
	z, err := gzip.NewWriterLevel(&gauge{w: p, every: every, look: func() { most = max(most, heap()-before) }}, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	if err := errors.Join(write(w), w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	v, err := p.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return v, most
}

// gauge looks at something each time that so many bytes have gone through.
type gauge struct {
	w           io.Writer
	every, left int64
	look        func()
}

func (g *gauge) Write(b []byte) (int, error) {
	if g.left -= int64(len(b)); g.left <= 0 {
		g.look()
		g.left = g.every
	}
	return g.w.Write(b)
}

// TestMemoryStaysSmall: over archives of any size and shape.
func TestMemoryStaysSmall(t *testing.T) {
	file := func(w *tar.Writer, name string, size int64) error {
		return w.WriteHeader(&tar.Header{Name: top + name, Typeflag: tar.TypeReg, Size: size})
	}
	zeros := make([]byte, 1<<20)
	for _, c := range []struct {
		name  string
		write func(w *tar.Writer) error
	}{
		{"a gzip bomb", func(w *tar.Writer) error {
			if err := file(w, "homedir/bomb", 32<<20); err != nil {
				return err
			}
			for range 32 {
				if _, err := w.Write(zeros); err != nil {
					return err
				}
			}
			return nil
		}},
		{"a large dump", func(w *tar.Writer) error {
			row := []byte(strings.Repeat("INSERT INTO `t` VALUES (1,'x');\n", 1<<15))
			if err := file(w, "mysql/ruthin_wp.sql", int64(len(row))*16); err != nil {
				return err
			}
			for range 16 {
				if _, err := w.Write(row); err != nil {
					return err
				}
			}
			return nil
		}},
		{"very many members", func(w *tar.Writer) error {
			for i := range 12_000 {
				if err := file(w, fmt.Sprintf("mysql/db%d.sql", i), 0); err != nil {
					return err
				}
			}
			return nil
		}},
		{"very many domains with long names", func(w *tar.Writer) error {
			for i := range 11_000 {
				if err := file(w, fmt.Sprintf("dnszones/%s%d.example.db", strings.Repeat("a.", 60), i), 0); err != nil {
					return err
				}
			}
			return nil
		}},
		{"endless names", func(w *tar.Writer) error {
			for i := range 10 {
				if err := file(w, fmt.Sprintf("mysql/%s%d.sql", strings.Repeat("a", 900<<10), i), 0); err != nil {
					return err
				}
			}
			return nil
		}},
		{"very many settings", func(w *tar.Writer) error {
			for i := range 10 {
				if err := file(w, fmt.Sprintf("cp/u%d", i), 1<<20); err != nil {
					return err
				}
				if _, err := w.Write(zeros[:1<<20]); err != nil {
					return err
				}
			}
			return nil
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, most := feed(t, newProver(wanted()), 8<<10, c.write)
			if len(v.problems) == 0 {
				t.Error("nothing is wrong with it")
			}
			for _, f := range v.problems[:min(len(v.problems), 20)] {
				if len(f.Text)+len(f.What) > 4000 {
					t.Errorf("a sentence of %d bytes", len(f.Text))
				}
			}
			if most > 8<<20 {
				t.Errorf("%d MiB were in use", most>>20)
			}
		})
	}
}

// rawHeader makes a header of GNU tar with any type and size, as archive/tar would not
// write it.
func rawHeader(name string, kind byte, size int64, more func(b []byte)) []byte {
	b := make([]byte, 512)
	copy(b, name)
	copy(b[100:], "0000644\x000000000\x000000000\x00")
	b[124] = 0x80 // the size in base 256
	for i := range 8 {
		b[135-i] = byte(size >> (8 * i))
	}
	copy(b[136:], "00000000000\x00")
	copy(b[148:], "        ")
	b[156] = kind
	copy(b[257:], "ustar  \x00")
	if more != nil {
		more(b)
	}
	sum := 0
	for _, c := range b {
		sum += int(c)
	}
	copy(b[148:], fmt.Sprintf("%06o\x00 ", sum))
	return b
}

// TestHostileHeaders: sizes that no disk holds, holes without end, and headers within
// headers end the walk, and are said.
func TestHostileHeaders(t *testing.T) {
	const huge = 1<<63 - 1
	hole := func(b []byte) { // one empty piece at the end of 1<<62 bytes
		copy(b[386:], fmt.Sprintf("%011o\x00%011o\x00", 0, 0))
		b[483] = 0x80
		b[483+4] = 0x40
	}
	end := make([]byte, 1024)
	for _, c := range []struct {
		name  string
		bytes []byte
		rules string
	}{
		{"a file of 8 EiB", rawHeader(top+"homedir/x", '0', huge, nil), "unfinished"},
		{"a negative size", rawHeader(top+"homedir/x", '0', -5, nil), "tar"},
		{"a database with a hole of 4 EiB", joined(rawHeader(top+"mysql/ruthin_wp.sql", 'S', 0, hole), end), "missing"},
		{"a home directory with a hole of 4 EiB", joined(rawHeader(top+"homedir.tar", 'S', 0, hole), end), "missing"},
		{"a version with a hole of 4 EiB", joined(rawHeader(top+"version", 'S', 0, hole), end), "missing"},
		{"a header of PAX of 8 EiB", rawHeader("x", 'x', huge, nil), "tar"},
		{"a long name of 8 EiB", rawHeader("x", 'L', huge, nil), "unfinished"},
		{"headers without end", bytes.Repeat(joined(rawHeader("x", 'x', 6, nil), append([]byte("6 a=b\n"), make([]byte, 506)...)), 1000), "unfinished"},
		{"folders that have a size", joined(rawHeader(top, '5', huge, nil), end), "missing"},
	} {
		v := prove(t, newProver(expected{user: "ruthin"}), squeeze(t, c.bytes))
		if got := rules(v); got != c.rules && !(c.rules == "unfinished" && got == "tar" || c.rules == "tar" && got == "unfinished") {
			t.Errorf("%s: %q, want %q:\n%s", c.name, got, c.rules, words(v))
		}
	}
}

// joined joins bytes.
func joined(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// FuzzProver: whatever comes, a proof ends without a panic; and what it finds in order
// is what the standard library unpacks too.
func FuzzProver(f *testing.F) {
	good := pack(f, account())
	plain := packTar(f, top, account())
	f.Add(good, false)
	f.Add(good[:len(good)/2], false)
	f.Add(flip(good, 300), false)
	f.Add(append(good, good...), false)
	f.Add(plain, true)
	f.Add(plain[:3000], true)
	f.Add(rawHeader(top+"mysql/a.sql", 'S', 1<<60, nil), true)
	f.Add([]byte("<html><title>x"), false)
	f.Add([]byte(dumpText("ruthin_wp", 3)), true)
	f.Fuzz(func(t *testing.T, b []byte, raw bool) {
		if raw { // what is within is fuzzed, and not the compression
			b = squeeze(t, b)
		}
		for _, p := range []*prover{newProver(wanted()), newHomeProver(), newDumpProver("ruthin_wp"), newTextProver("it")} {
			v := prove(t, p, b)
			if len(v.problems) > 0 {
				continue
			}
			if z, err := gzip.NewReader(bytes.NewReader(b)); err == nil {
				if _, err := io.Copy(io.Discard, z); err != nil && !errors.Is(err, gzip.ErrHeader) {
					t.Errorf("nothing was found wrong with it, but it cannot be unpacked: %v", err)
				}
			}
		}
	})
}
