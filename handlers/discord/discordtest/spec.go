package discordtest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// SpecDoc is Discord's published vocabulary, as an OpenAPI document: which bodies each operation
// takes and gives. It is stricter and laxer than Discord itself: it knows types and lengths, but not the
// characters of command names, and lets content be 4000 long.
type SpecDoc struct {
	mu       sync.Mutex
	doc      object
	compiler *jsonschema.Compiler
	compiled map[string]*jsonschema.Schema // by pointer; nil: the document has none
}

// official is where package.json and the programs that use its packages lie, below the module's root.
const official = "handlers/discord/discordtest/testdata/official"

// Node finds the folder in which the npm packages of discordtest are installed: the
// folder discord of $KEEPWATCH_NODE, or the one of package.json itself. It gives the folder of the programs,
// too. Where they are missing the test is skipped, and with CI=true it fails.
func Node(t testing.TB) (programs, packages string) {
	t.Helper()
	programs, packages, err := findNode()
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatal(err)
	default:
		t.Skip(err)
	}
	return programs, packages
}

func findNode() (programs, packages string, err error) {
	root, err := os.Getwd()
	if err != nil {
		return "", "", err
	}
	for !exists(filepath.Join(root, "go.mod")) {
		if root == filepath.Dir(root) {
			return "", "", errors.New("the programs that check the fake Discord lie in the module, and this test runs outside it")
		}
		root = filepath.Dir(root)
	}
	programs = filepath.Join(root, official)
	packages = programs
	if dir := os.Getenv("KEEPWATCH_NODE"); dir != "" {
		packages = filepath.Join(dir, "discord")
	}
	if !exists(filepath.Join(packages, "node_modules")) {
		return "", "", fmt.Errorf("the npm packages of %s/package.json are not installed in %s: run npm ci --ignore-scripts in a copy of that folder named discord, and set KEEPWATCH_NODE to the folder above", official, packages)
	}
	if _, err := exec.LookPath("node"); err != nil {
		return "", "", fmt.Errorf("node is needed to check the fake Discord: %w", err)
	}
	return programs, packages, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// Spec loads the vocabulary, for [Config.Spec]. It takes half a second, so a package's tests may share it. It skips or fails as
// [Node] does.
func Spec(t testing.TB) *SpecDoc {
	t.Helper()
	programs, packages := Node(t)
	doc, err := LoadSpec(programs, packages)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// LoadSpec makes the vocabulary from the packages in a folder.
func LoadSpec(programs, packages string) (*SpecDoc, error) {
	cmd := exec.Command("node", filepath.Join(programs, "spec.mjs"), packages)
	var said bytes.Buffer
	cmd.Stderr = &said
	raw, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("make the OpenAPI document: %w: %s", err, said.Bytes())
	}
	tree, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("read the OpenAPI document: %w", err)
	}
	d := &SpecDoc{compiler: jsonschema.NewCompiler(), compiled: map[string]*jsonschema.Schema{}}
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	d.doc = asObject(tree)
	if err := d.compiler.AddResource(specURL, tree); err != nil {
		return nil, fmt.Errorf("read the OpenAPI document: %w", err)
	}
	return d, nil
}

const specURL = "discord:openapi.json"

// check holds a request and its answer against the document.
func (d *SpecDoc) check(method, route string, req *request, out reply) []string {
	var broken []string
	if body, any := req.sent(); any {
		broken = append(broken, d.checkRequest(method, route, body)...)
	}
	if out.body != nil {
		at, known := d.response(method, specPath(route), out.status)
		if !known {
			return append(broken, fmt.Sprintf("answer %s %s: the document has no such operation", method, route))
		}
		broken = append(broken, d.judge(fmt.Sprintf("answer %d %s %s", out.status, method, route), at, out.body)...)
	}
	return broken
}

func (d *SpecDoc) checkRequest(method, route string, body any) []string {
	at := pointer("paths", specPath(route), strings.ToLower(method), "requestBody", "content", "application/json", "schema")
	return d.judge(fmt.Sprintf("request %s %s", method, route), at, body)
}

// response finds the pointer to an answer's schema.
func (d *SpecDoc) response(method, path string, status int) (string, bool) {
	responses := asObject(asObject(asObject(asObject(d.doc["paths"])[path])[strings.ToLower(method)])["responses"])
	key := strconv.Itoa(status)
	if responses[key] == nil {
		key = key[:1] + "XX"
	}
	return pointer("paths", path, strings.ToLower(method), "responses", key, "content", "application/json", "schema"), responses[key] != nil
}

func (d *SpecDoc) judge(what, at string, body any) []string {
	schema, err := d.schema(at)
	if err != nil {
		return []string{what + ": " + err.Error()}
	}
	if err := schema.Validate(convert[any](body)); err != nil {
		return []string{what + ": " + err.Error()}
	}
	return nil
}

func (d *SpecDoc) schema(at string) (*jsonschema.Schema, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.compiled[at]; s != nil {
		return s, nil
	}
	s, err := d.compiler.Compile(specURL + "#" + at)
	if err != nil {
		return nil, fmt.Errorf("the document has no schema for this: %w", err)
	}
	d.compiled[at] = s
	return s, nil
}

// pointer writes a JSON pointer as the fragment of a URL.
func pointer(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(p))
	}
	return (&url.URL{Path: b.String()}).EscapedPath()
}

// specPath is a route as the document names it.
func specPath(route string) string {
	names := []string{"{channel}", "{channel_id}", "{message}", "{message_id}", "{guild}", "{guild_id}", "{user}", "{user_id}", "{interaction}", "{interaction_id}"}
	switch {
	case strings.HasPrefix(route, "/webhooks"):
		names = append(names, "{app}", "{webhook_id}", "{token}", "{webhook_token}")
	default:
		names = append(names, "{app}", "{application_id}", "{token}", "{interaction_token}")
	}
	return strings.NewReplacer(names...).Replace(route)
}
