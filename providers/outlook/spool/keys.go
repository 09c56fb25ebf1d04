package spool

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"

	"keepwatch/providers/outlook"
)

const keyBytes = chacha20poly1305.KeySize

// name stands for a text that must not be on the disk: the first half of its HMAC-SHA-256
// (RFC 2104), which no two texts of a mailbox share.
type name [16]byte

// keys are what the run's key is made into (HKDF, RFC 5869): a key for each purpose, and
// none that fits the spool of another run.
type keys struct {
	rows   cipher.AEAD // of the index
	frames cipher.AEAD // of the segments
	names  []byte
}

func newKeys(secret []byte, run int64) (*keys, error) {
	derived := make([][]byte, 3)
	for i, purpose := range []string{"rows", "frames", "names"} {
		key, err := hkdf.Key(sha256.New, secret, nil, fmt.Sprintf("keepwatch outlook spool 1 %s %d", purpose, run), keyBytes)
		if err != nil {
			return nil, err
		}
		derived[i] = key
	}
	rows, err := chacha20poly1305.NewX(derived[0])
	if err != nil {
		return nil, err
	}
	frames, err := chacha20poly1305.NewX(derived[1])
	if err != nil {
		return nil, err
	}
	return &keys{rows: rows, frames: frames, names: derived[2]}, nil
}

// name gives the name of texts, with the length of each, so that none can pass for others.
func (k *keys) name(texts ...string) (n name) {
	mac := hmac.New(sha256.New, k.names)
	for _, t := range texts {
		_ = binary.Write(mac, binary.BigEndian, uint64(len(t))) // a hash takes everything
		_, _ = io.WriteString(mac, t)
	}
	copy(n[:], mac.Sum(nil))
	return n
}

// folder, item and version name a folder, an item in whatever folder, and a state of it,
// which is what a content belongs to.
func (k *keys) folder(id string) name       { return k.name("folder", id) }
func (k *keys) item(i outlook.Item) name    { return k.name("item", i.ID) }
func (k *keys) version(i outlook.Item) name { return k.name("version", i.ID, i.Change) }
func (k *keys) seal(place, plain []byte) []byte {
	nonce := make([]byte, chacha20poly1305.NonceSizeX, chacha20poly1305.NonceSizeX+len(plain)+chacha20poly1305.Overhead)
	_, _ = rand.Read(nonce) // it never fails (crypto/rand)
	return k.rows.Seal(nonce, nonce, plain, place)
}

// open gives what was sealed for a place. Nothing else is accepted there.
func (k *keys) open(place, sealed []byte) ([]byte, error) {
	if len(sealed) < chacha20poly1305.NonceSizeX {
		return nil, lost("a row of the index is cut short")
	}
	plain, err := k.rows.Open(nil, sealed[:chacha20poly1305.NonceSizeX], sealed[chacha20poly1305.NonceSizeX:], place)
	if err != nil {
		return nil, lost("a row of the index: %w", err)
	}
	return plain, nil
}
