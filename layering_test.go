package keepwatch_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "keepwatch"

// pkg is what `go list -json` says of a package.
type pkg struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
	Deps       []string
	Standard   bool
}

func list(t *testing.T, args ...string) []pkg {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list", "-json"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// mayImport is the one import rule: apart from cmd/bot, a package imports only
// the root package, its own parent folders, and the pst tree, which imports none of
// ours; within it too a package imports only its parents.
func mayImport(from, to string) bool {
	if !strings.HasPrefix(to+"/", module+"/") || from == module+"/cmd/bot" {
		return true
	}
	if from == module {
		return false
	}
	if in(from, module+"/pst") {
		return in(to, module+"/pst") && strings.HasPrefix(from, to+"/")
	}
	return to == module || in(to, module+"/pst") || strings.HasPrefix(from, to+"/")
}

// in tells whether a package is a folder or lies below it.
func in(path, folder string) bool { return strings.HasPrefix(path+"/", folder+"/") }

func TestImportRule(t *testing.T) {
	for _, p := range list(t, "./...") {
		for _, to := range p.Imports {
			if !mayImport(p.ImportPath, to) {
				t.Errorf("%s must not import %s: declare the small interface that it needs, and join them in cmd/bot", p.ImportPath, to)
			}
		}
	}
}

func TestImportRuleCanGoRed(t *testing.T) {
	for _, c := range []struct {
		from, to string
		may      bool
	}{
		{"keepwatch/engine", "keepwatch", true}, {"keepwatch/engine", "keepwatch/store", false}, {"keepwatch/store/bolt", "keepwatch/store", true},
		{"keepwatch/store", "keepwatch/store/bolt", false}, {"keepwatch/handlers/slack", "keepwatch/handlers/console", false}, {"keepwatch/providers/files", "keepwatch/pst", true},
		{"keepwatch", "keepwatch/pst", false}, {"keepwatch/pst", "keepwatch", false}, {"keepwatch/providers/files", "keepwatch/pst/reader", true}, {"keepwatch/pst/reader", "keepwatch/pst", true},
		{"keepwatch/pst/reader", "keepwatch/pst/writer", false}, {"keepwatch/pst/mail", "keepwatch", false}, {"keepwatch/pst", "keepwatch/pst/mail", false}, {"keepwatch/cmd/bot", "keepwatch/engine", true}, {"keepwatch/engine", "fmt", true}, {"keepwatch/engine", "keepwatch/cmd/bot", false},
	} {
		if mayImport(c.from, c.to) != c.may {
			t.Errorf("%s → %s: %v", c.from, c.to, !c.may)
		}
	}
}

// TestShippedProgram: it does not link what only tests need.
func TestShippedProgram(t *testing.T) {
	for _, p := range list(t, "./cmd/bot") {
		for _, dep := range p.Deps {
			if dep == "testing" || strings.HasSuffix(dep, "test") && strings.HasPrefix(dep, module) {
				t.Errorf("the shipped program links %s", dep)
			}
		}
	}
}

// TestRootIsPure: the root has the standard library only, and of that nothing
// that reads, writes or waits.
func TestRootIsPure(t *testing.T) {
	allowed := []string{"context", "encoding/json", "errors", "fmt", "log/slog", "slices", "strconv", "strings", "time", "maps", "cmp", "math", "crypto/sha256", "encoding/hex", "path"}
	for _, p := range list(t, ".") {
		for _, to := range p.Imports {
			if !slices.Contains(allowed, to) {
				t.Errorf("the root imports %s", to)
			}
		}
	}
}

// faults looks for what no package may have: an init function, a package
// variable (in the root also an interface or a goroutine).
func faults(fset *token.FileSet, file *ast.File, root bool) []string {
	var found []string
	say := func(n ast.Node, what string) {
		found = append(found, fmt.Sprintf("%s: %s", fset.Position(n.Pos()), what))
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name == "init" {
				say(d, "an init function")
			}
		case *ast.GenDecl:
			if d.Tok != token.VAR || embeds(d) {
				continue
			}
			for _, spec := range d.Specs {
				if v := spec.(*ast.ValueSpec); len(v.Values) == 0 {
					say(v, "a package variable without a value: it can only be there to be changed")
				}
			}
		}
	}
	vars, local := packageVars(file), localNames(file)
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.InterfaceType:
			if root && n.Methods != nil && len(n.Methods.List) > 0 {
				say(n, "an interface in the root")
			}
		case *ast.GoStmt:
			if root {
				say(n, "a goroutine in the root")
			}
		case *ast.AssignStmt:
			for _, l := range n.Lhs {
				if id, ok := l.(*ast.Ident); ok && n.Tok == token.ASSIGN && vars[id.Name] && !local[id.Name] {
					say(n, "the package variable "+id.Name+" is changed")
				}
			}
		}
		return true
	})
	return found
}

// embeds reports whether a variable is one that the compiler fills with files, which
// is how Go spells a constant of that size.
func embeds(d *ast.GenDecl) bool {
	return d.Doc != nil && slices.ContainsFunc(d.Doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") })
}

func packageVars(file *ast.File) map[string]bool {
	vars := map[string]bool{}
	for _, d := range file.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
			for _, spec := range g.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					vars[name.Name] = true
				}
			}
		}
	}
	return vars
}

// localNames are those that some function of the file declares for itself.
func localNames(file *ast.File) map[string]bool {
	names := map[string]bool{"_": true}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				for _, l := range n.Lhs {
					if id, ok := l.(*ast.Ident); ok {
						names[id.Name] = true
					}
				}
			}
		case *ast.Field:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		}
		return true
	})
	return names
}

func TestNoGlobals(t *testing.T) {
	for _, p := range list(t, "./...") {
		for _, name := range p.GoFiles {
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range faults(fset, file, p.ImportPath == module) {
				t.Error(f)
			}
		}
	}
}

func TestNoGlobalsCanGoRed(t *testing.T) {
	const bad = `package p
var flipped bool
var table = map[string]int{}
func init() { table["x"] = 1 }
type I interface{ M() }
func f() { table = nil; go f(); flipped := true; flipped = false; _ = flipped }
`
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "bad.go", bad, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := faults(fset, file, true); len(got) != 5 {
		t.Errorf("%d faults are found, there are 5: %v", len(got), got)
	}
}

// TestNoMachinePaths: what is committed names no folder of the machine that it
// was written on.
func TestNoMachinePaths(t *testing.T) {
	out, err := exec.Command("git", "ls-files", "-z").Output()
	if err != nil {
		t.Logf("not in a git checkout: %v", err)
		return
	}
	marks := []string{"/wo" + "rk/", "/tmp/bash" + "_jobs", "/ro" + "ot/"}
	for name := range strings.SplitSeq(strings.Trim(string(out), "\x00"), "\x00") {
		data, err := os.ReadFile(name)
		if err != nil {
			continue // deleted, not committed yet
		}
		for _, m := range marks {
			if strings.Contains(string(data), m) {
				t.Errorf("%s names %s", name, m)
			}
		}
	}
}
