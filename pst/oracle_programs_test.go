package pst_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// python is Debian's own, which alone sees Debian's pypff.
const python = "/usr/bin/python3"

// needProgram gives the path of a program. Without it the test is left out, or fails where
// CI is set.
func needProgram(t testing.TB, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	if os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	t.Skipf("%s is not installed: %v", program, err)
	return ""
}

// runProgram starts a program and gives what it printed; env is added to its environment.
func runProgram(t testing.TB, env []string, dir, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env, cmd.Dir = append(os.Environ(), env...), dir
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", filepath.Base(program), err, tailOf(said.String()))
	}
	return said.String()
}

func tailOf(s string) string {
	if len(s) > 4000 {
		return "… " + s[len(s)-4000:]
	}
	return s
}

// eachLine reads what a helper program wrote.
func eachLine(t testing.TB, name string, fn func(rawItem)) {
	t.Helper()
	in, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for dec := json.NewDecoder(bufio.NewReaderSize(in, 1<<20)); ; {
		var it rawItem
		if err := dec.Decode(&it); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		fn(it)
	}
}

// listing is what a reader found.
type listing struct {
	Folders []string // each with its path from the root of the file on
	Items   []rawItem
}

func readLines(t testing.TB, name string) listing {
	var l listing
	eachLine(t, name, func(it rawItem) {
		if it.Values == nil {
			l.Folders = append(l.Folders, strings.Join(it.Folder, "/"))
		} else {
			l.Items = append(l.Items, it)
		}
	})
	return l
}

// items are in the common words, without the items beside the mail of its owner
// (folders of Outlook's own that lie beside the top), and with folders
// relative to the top.
func (l listing) items(top string) []seen {
	var all []seen
	for _, raw := range l.Items {
		all = append(all, raw.listed())
	}
	return below(top, all)
}

// below gives those in a folder and in folders under it, with folders relative to it.
func below(top string, all []seen) []seen {
	var out []seen
	for _, it := range all {
		if rest, ok := strings.CutPrefix(it.Folder+"/", top+"/"); ok {
			it.Folder = strings.TrimSuffix(rest, "/")
			out = append(out, it)
		}
	}
	return out
}

// goPST builds the program that lists with go-pst, once for all tests, from modules
// that must be on this machine already: a test asks no registry.
type goPST struct {
	once sync.Once
	path string
	dir  string
	said string
	err  error
}

// goPSTBuild is shared by all tests of the package; TestMain removes it.
var goPSTBuild = &goPST{}

const goPSTModule = "testdata/gopst"

func (g *goPST) build() {
	if g.dir, g.err = os.MkdirTemp("", "gopst"); g.err != nil {
		return
	}
	g.path = filepath.Join(g.dir, "gopst")
	cmd := exec.Command("go", "build", "-o", g.path, ".")
	cmd.Dir, cmd.Env = goPSTModule, append(os.Environ(), "GOPROXY=off", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	g.said, g.err = string(out), err
}

func (g *goPST) program(t testing.TB) string {
	t.Helper()
	g.once.Do(g.build)
	if g.err != nil && os.Getenv("CI") == "" {
		t.Skipf("go-pst is not here (`go mod download` in pst/%s): %v\n%s", goPSTModule, g.err, g.said)
	}
	if g.err != nil {
		t.Fatalf("build go-pst: %v\n%s", g.err, g.said)
	}
	return g.path
}

func TestMain(m *testing.M) {
	code := m.Run()
	if goPSTBuild.dir != "" {
		os.RemoveAll(goPSTBuild.dir)
	}
	os.Exit(code)
}

// withGoPST lists a file with go-pst.
func withGoPST(t testing.TB, file string) listing {
	t.Helper()
	out := filepath.Join(t.TempDir(), "gopst.json")
	runProgram(t, nil, "", goPSTBuild.program(t), file, out)
	return readLines(t, out)
}

// withPypff lists a file with the Python binding of libpff: everything but
// recipients and what is inside embedded messages.
func withPypff(t testing.TB, file string) listing {
	t.Helper()
	out := filepath.Join(t.TempDir(), "pypff.json")
	runPypff(t, file, out)
	return readLines(t, out)
}

func runPypff(t testing.TB, file, out string) {
	t.Helper()
	needProgram(t, python)
	if err := exec.Command(python, "-c", "import pypff").Run(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("python3-pypff: %v", err)
		}
		t.Skipf("python3-pypff is not installed: %v", err)
	}
	runProgram(t, nil, "", python, filepath.Join("testdata", "listpff.py"), file, out)
}
