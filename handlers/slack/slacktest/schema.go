package slacktest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// nodeVariable names a folder in which slack/node_modules and
// slack/blockkit.schema.json lie.
const nodeVariable = "KEEPWATCH_NODE"

// official is the folder with the package.json of Slack's clients, found beside
// this source file.
func official() (string, error) {
	_, here, _, ok := runtime.Caller(0)
	if !ok {
		return "", errors.New("the source folder is not known")
	}
	return filepath.Join(filepath.Dir(here), "testdata", "official"), nil
}

// installed finds a file that is made by installing Slack's packages.
func installed(name string) (string, error) {
	var tried []string
	if dir := os.Getenv(nodeVariable); dir != "" {
		tried = append(tried, filepath.Join(dir, "slack", name))
	}
	if dir, err := official(); err == nil {
		tried = append(tried, filepath.Join(dir, name))
	}
	for _, path := range tried {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("the npm packages of Slack are not installed: there is none of %q; set %s to a folder whose slack/ was filled by npm ci from handlers/slack/slacktest/testdata/official", tried, nodeVariable)
}

// need is installed, or the end of the test: it is skipped, in CI it fails.
func need(t testing.TB, name string) string {
	t.Helper()
	path, err := installed(name)
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	t.Skip(err)
	return ""
}

// BlockSchema is a validator of blocks (the JSON array) by the types that Slack
// publishes (@slack/types, as a JSON schema). It knows structure and names, no
// lengths; those are [CheckBlocks]. Where it is not installed the test is skipped,
// with CI=true it fails.
func BlockSchema(t testing.TB) func(blocks json.RawMessage) error {
	t.Helper()
	validate, err := schemaAt(need(t, schemaFile))
	if err != nil {
		t.Fatal(err)
	}
	return validate
}

const schemaFile = "blockkit.schema.json"

// compiled keeps the schema: compiling it takes longer than most tests.
var compiled = &sync.Map{} // path → func() (func(json.RawMessage) error, error)

func schemaAt(path string) (func(json.RawMessage) error, error) {
	once, _ := compiled.LoadOrStore(path, sync.OnceValues(func() (func(json.RawMessage) error, error) { return compile(path) }))
	return once.(func() (func(json.RawMessage) error, error))()
}

func compile(path string) (func(json.RawMessage) error, error) {
	c := jsonschema.NewCompiler()
	schema, err := c.Compile(path)
	if err != nil {
		return nil, fmt.Errorf("compile the schema of Block Kit: %w", err)
	}
	return func(blocks json.RawMessage) error {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(blocks))
		if err != nil {
			return err
		}
		return schema.Validate(v)
	}, nil
}

// installedSchema is the validator where it is installed, else nil.
func installedSchema() func(json.RawMessage) error {
	path, err := installed(schemaFile)
	if err != nil {
		return nil
	}
	validate, err := schemaAt(path)
	if err != nil {
		return func(json.RawMessage) error { return err }
	}
	return validate
}
