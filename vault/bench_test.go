package vault

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"keepwatch"
)

// The benchmarks keep their files in TMPDIR: set it to a tmpfs to measure the
// program and not the disk. KEEPWATCH_BENCH_MIB is the size of the large files
// in MiB, 256 unless set; KEEPWATCH_BENCH_FILES the number of small ones.
func benchSize(b testing.TB) int64 { return int64(number(b, "KEEPWATCH_BENCH_MIB", 256)) << 20 }

func number(b testing.TB, name string, otherwise int) int {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// load is what is sealed in a benchmark.
type load struct {
	name  string
	files int
	size  int64 // of each
	open  func(i int) io.Reader
	alone bool // each lies on its own, and nobody says how large it is before it ends
}

func (l load) bytes() int64 { return int64(l.files) * l.size }

func loads(b testing.TB) []load {
	random, text := noise(64<<20+4099, 7), goSource(b, 64<<20)
	large := benchSize(b)
	return []load{
		{"incompressible", 1, large, func(int) io.Reader { return &cycle{data: random} }, false},
		{"compressible", 1, large, func(int) io.Reader { return &cycle{data: text} }, false},
		{"small", number(b, "KEEPWATCH_BENCH_FILES", 100_000), 2000, func(i int) io.Reader { return &cycle{data: text, at: i * 997 % len(text)} }, false},
	}
}

// cycle reads the same bytes again and again; they are longer than any window
// of the compression.
type cycle struct {
	data []byte
	at   int
}

func (c *cycle) Read(p []byte) (int, error) {
	n := copy(p, c.data[c.at:])
	c.at = (c.at + n) % len(c.data)
	return n, nil
}

// goSource gives realistic text: the source of Go's standard library.
func goSource(b testing.TB, size int) []byte {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		b.Fatal(err)
	}
	var text bytes.Buffer
	err = filepath.WalkDir(filepath.Join(strings.TrimSpace(string(root)), "src"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || text.Len() >= size || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		data, err := os.ReadFile(path)
		text.Write(data)
		return err
	})
	if err != nil || text.Len() == 0 {
		b.Fatalf("no Go source to compress: %v", err)
	}
	return text.Bytes()[:min(size, text.Len())]
}

// fill seals a load without publishing it.
func (l load) fill(b testing.TB, v *Vault, id int64) keepwatch.Run {
	run := newRun(id)
	w, err := v.Begin(run)
	if err != nil {
		b.Fatal(err)
	}
	for i := range l.files {
		f := file(fmt.Sprintf("d%03d/some-file-%06d.go", i/1000, i), "")
		f.Size = l.size
		add := w.Add
		if l.alone {
			f.Size, add = -1, w.Single
		}
		if err := add(f.Entry, io.LimitReader(l.open(i), l.size)); err != nil {
			b.Fatal(err)
		}
	}
	if run.Result, err = w.Close(); err != nil {
		b.Fatal(err)
	}
	return run
}

// measure runs one operation and reports its rate and what it allocates.
func measure(b *testing.B, bytes int64, do func()) {
	b.SetBytes(bytes)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n := 0
	for b.Loop() {
		do()
		n++
	}
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(n)/(float64(bytes)/1e6), "alloc-B/MB")
}

func BenchmarkSeal(b *testing.B) {
	for _, l := range loads(b) {
		b.Run(l.name, func(b *testing.B) {
			v := newVault(b)
			var sealed int64
			measure(b, l.bytes(), func() { sealed = l.fill(b, v, 1).Result.Sealed[0].Size })
			b.ReportMetric(float64(l.bytes())/float64(sealed), "ratio")
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, l := range loads(b) {
		b.Run(l.name, func(b *testing.B) {
			v := newVault(b)
			run := l.fill(b, v, 1)
			measure(b, l.bytes(), func() {
				got, err := v.VerifyStaged(context.Background(), run, nil)
				if err != nil || !got.OK() {
					b.Fatal(err, got.Problems)
				}
			})
		})
	}
}

func BenchmarkRestore(b *testing.B) {
	for _, l := range loads(b) {
		b.Run(l.name, func(b *testing.B) {
			v := newVault(b)
			run := l.fill(b, v, 1)
			a, err := v.Publish(run, archiveOf(run))
			if err != nil {
				b.Fatal(err)
			}
			to := filepath.Join(b.TempDir(), "out")
			measure(b, l.bytes(), func() {
				mustExtract(b, v, a.Ref(), to, keepwatch.Ask{})
				b.StopTimer()
				if err := os.RemoveAll(to); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			})
		})
	}
}

// BenchmarkPeers runs each stage of tar | zstd -3 | age alone, and restic, over
// the same data as files, so that the other figures can be read against them.
func BenchmarkPeers(b *testing.B) {
	for _, name := range []string{"tar", "zstd", "age"} {
		if _, err := exec.LookPath(name); err != nil {
			b.Skipf("needs %s", name)
		}
	}
	v := newVault(b)
	for _, l := range loads(b) {
		dir := b.TempDir()
		for i := range l.files {
			writeLoad(b, l, i, filepath.Join(dir, "data", fmt.Sprintf("d%03d", i/1000), fmt.Sprintf("some-file-%06d.go", i)))
		}
		env := append(os.Environ(), "TO="+v.Recipients()[0], "KEY="+v.keys.file, "RESTIC_PASSWORD=x")
		sh := func(b *testing.B, script string) {
			cmd := exec.Command("sh", "-ec", script)
			cmd.Dir, cmd.Env = dir, env
			if out, err := cmd.CombinedOutput(); err != nil {
				b.Fatalf("%v: %s", err, out)
			}
		}
		for _, stage := range []struct{ name, script, before string }{
			{"tar", "tar cf - data > x.tar", ":"},
			{"zstd", "zstd -q -3 -c x.tar > x.zst", ":"},
			{"age", "age -r $TO -o x.age x.zst", "rm -f x.age"},
			{"pipe", "tar cf - data | zstd -q -3 | age -r $TO > x.age", ":"},
			{"unpack", "mkdir out; age -d -i $KEY x.age | zstd -q -d | tar x -C out", "rm -rf out"},
			{"restic", "restic -q backup -r repo --no-cache data", "rm -rf repo; restic -q init -r repo"},
		} {
			b.Run(l.name+"/"+stage.name, func(b *testing.B) {
				if _, err := exec.LookPath(stage.name); err != nil && stage.name == "restic" {
					b.Skipf("needs %s", stage.name)
				}
				b.SetBytes(l.bytes())
				for b.Loop() {
					b.StopTimer()
					sh(b, stage.before)
					b.StartTimer()
					sh(b, stage.script)
				}
			})
		}
		if err := os.RemoveAll(dir); err != nil {
			b.Fatal(err)
		}
	}
}

func writeLoad(b *testing.B, l load, i int, path string) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.CopyN(f, l.open(i), l.size); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkMemory seals and verifies in a process of its own ("alone": a file whose
// size nobody says, which is then read by OpenEntry too) and reports the most memory that the system gave it (VmHWM). KEEPWATCH_BENCH_MEMORY_MIB adds a
// size to 64 MiB and 1 GiB.
func BenchmarkMemory(b *testing.B) {
	sizes := []int{64, 1024}
	if n := number(b, "KEEPWATCH_BENCH_MEMORY_MIB", 0); n > 0 {
		sizes = append(sizes, n)
	}
	for _, mib := range sizes {
		for _, kind := range []string{"incompressible", "compressible", "alone"} {
			b.Run(fmt.Sprintf("%s/%dMiB", kind, mib), func(b *testing.B) {
				b.SetBytes(int64(mib) << 20)
				for b.Loop() {
					cmd := exec.Command(os.Args[0], "-test.run=^TestMemoryChild$", "-test.v")
					cmd.Env = append(os.Environ(), "KEEPWATCH_MEMORY_CHILD="+kind, "KEEPWATCH_BENCH_MIB="+strconv.Itoa(mib))
					out, err := cmd.CombinedOutput()
					if err != nil {
						b.Fatalf("%v: %s", err, out)
					}
					_, text, _ := strings.Cut(string(out), "VmHWM:")
					kib, err := strconv.Atoi(strings.Fields(text)[0])
					if err != nil {
						b.Fatalf("%v: %s", err, out)
					}
					b.ReportMetric(float64(kib)/1024, "peak-MiB")
				}
			})
		}
	}
}

// TestMemoryChild is the process that BenchmarkMemory starts. Its data is made
// as it goes, so that it counts for nothing.
func TestMemoryChild(t *testing.T) {
	kind := os.Getenv("KEEPWATCH_MEMORY_CHILD")
	size := benchSize(t)
	if kind == "" {
		size = 4 << 20
	}
	small := noise(1<<20, 3)
	if kind == "compressible" {
		small = goSource(t, 1<<20)
	}
	l := load{"", 1, size, func(int) io.Reader { return &varied{cycle: cycle{data: small}} }, kind == "alone"}
	v := newVault(t)
	run := l.fill(t, v, 1)
	if got, err := v.VerifyStaged(context.Background(), run, nil); err != nil || !got.OK() || got.Bytes != size {
		t.Fatal(err, got)
	}
	if l.alone {
		a, err := v.Publish(run, archiveOf(run))
		if err != nil {
			t.Fatal(err)
		}
		if err := readEntry(v, a.Ref(), "d000/some-file-000000.go", nil); err != nil {
			t.Fatal(err)
		}
	}
	status, err := os.Open("/proc/self/status")
	if err != nil {
		return // only Linux says it
	}
	defer status.Close()
	for lines := bufio.NewScanner(status); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "VmHWM") {
			fmt.Println(lines.Text())
		}
	}
}

// varied makes small data never repeat within the window of the compression.
type varied struct {
	cycle
	n byte
}

func (v *varied) Read(p []byte) (int, error) {
	n, err := v.cycle.Read(p)
	v.n++
	for i := 0; i < n; i += 16 {
		p[i] ^= v.n
	}
	return n, err
}
