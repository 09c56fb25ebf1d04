package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"
)

// cmdOlder takes the seek table off a sealed file, as versions had it that wrote none:
// older PATTERN IDENTITY.
func cmdOlder(ts *testscript.TestScript, _ bool, args []string) {
	name := oneMatch(ts, args[0])
	identity, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	sealed, err := os.ReadFile(name)
	ts.Check(err)
	older, err := withoutTable(sealed, identity)
	ts.Check(err)
	ts.Check(os.WriteFile(name, older, 0o600))
}

// withoutTable seals a file again without the table at its end, which is a skippable frame: 8
// bytes, as many for each frame, and 9 that begin with their number.
func withoutTable(sealed, identity []byte) ([]byte, error) {
	keys, err := age.ParseIdentities(bytes.NewReader(identity))
	if err != nil {
		return nil, err
	}
	key, ok := keys[0].(*age.X25519Identity)
	if !ok {
		return nil, errors.New("the key is of another kind")
	}
	r, err := age.Decrypt(bytes.NewReader(sealed), key)
	if err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if n := len(plain); n < 17 || binary.LittleEndian.Uint32(plain[n-4:]) != 0x8F92EAB1 {
		return nil, errors.New("the file has no seek table")
	}
	frames := int(binary.LittleEndian.Uint32(plain[len(plain)-9:]))
	var out bytes.Buffer
	w, err := age.Encrypt(&out, key.Recipient())
	if err != nil {
		return nil, err
	}
	_, err = w.Write(plain[:len(plain)-9-8*frames-8])
	err = errors.Join(err, w.Close())
	return out.Bytes(), err
}
