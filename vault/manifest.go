package vault

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"keepwatch"
)

// Names of the files that every archive has.
const (
	manifestName = "manifest.json"
	contentsName = "contents.jsonl.zst.age"
	sumsName     = "SHA256SUMS"
)

// formatVersion is the version of the layout of an archive's folder.
const formatVersion = 1

// manifest says what an archive is. It holds no name from inside: parts may be
// names of folders or databases, so it has their number only, and a file that
// was handed in alone is the one exception, since it is sealed under its own
// name. It has one canonical form on disk (two-space indent, fields in this
// order, a line feed at the end), so that any change of it is found.
type manifest struct {
	Format      int                          `json:"format"`
	MadeBy      string                       `json:"made_by"` // the bot and its version
	Source      string                       `json:"source"`
	Kind        keepwatch.SourceKind         `json:"kind"`
	Parts       int                          `json:"parts"`          // how many parts were asked for; 0 is all
	Base        string                       `json:"base,omitempty"` // ref of the archive that this one goes on from; none: it is whole
	Run         int64                        `json:"run"`
	Started     time.Time                    `json:"started"`
	Finished    time.Time                    `json:"finished"`
	Items       int64                        `json:"items"`
	Bytes       int64                        `json:"bytes"`
	SealedBytes int64                        `json:"sealed_bytes"`
	Sealed      []keepwatch.SealedFile       `json:"sealed"`
	Recipients  []string                     `json:"recipients"`
	Verified    *manifestProof               `json:"verified,omitempty"`
	Counts      map[keepwatch.NoteKind]int64 `json:"left_out_or_noted,omitempty"`
}

// manifestProof is what was verified before the archive was put in its place.
type manifestProof struct {
	At    time.Time       `json:"at"`
	Level keepwatch.Level `json:"level"`
	Files int64           `json:"files"`
	Bytes int64           `json:"bytes"`
}

// maxSmall bounds what is read of a manifest or of the sums; ours are a few KiB.
const maxSmall = 4 << 20

func (m manifest) encode() ([]byte, error) {
	return encodeJSON(m)
}

// errChanged is a manifest that is not in its canonical form.
var errChanged = errors.New("it is not as it was written")

// errNewer is a manifest of a version that we do not know, or one whose version
// was damaged.
var errNewer = errors.New("its format is one that this version does not know")

// decodeManifest reads a manifest strictly: what it accepts encodes to the same
// bytes, and every name in it is a plain file name.
func decodeManifest(data []byte) (manifest, error) {
	var m manifest
	var head struct{ Format int }
	if err := json.Unmarshal(data, &head); err == nil && head.Format > formatVersion {
		return m, keepwatch.Errorf(keepwatch.KindAttention, "This archive was written by a newer Keepwatch (format %d; this one knows %d). Use that version.", head.Format, formatVersion).Because(errNewer)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m); err != nil {
		return m, fmt.Errorf("read the manifest: %w", err)
	}
	again, err := m.encode()
	if err != nil || !bytes.Equal(again, data) {
		return m, errChanged
	}
	return m, m.check()
}

// check sees that nothing in a manifest can lead anywhere but into its folder.
func (m manifest) check() error {
	if m.Format < 1 || !keepwatch.ValidName(m.Source) {
		return errors.New("it names no format or no source")
	}
	if source, _, ok := keepwatch.SplitRef(m.Base); m.Base != "" && (!ok || source != m.Source) {
		return fmt.Errorf("what it goes on from, %q, is no archive of its source", m.Base)
	}
	names := map[string]bool{}
	for _, f := range m.Sealed {
		if !plainName(f.Name) || names[f.Name] || f.Size < 0 || len(f.SHA256) != 64 || !isHex(f.SHA256) {
			return fmt.Errorf("what it says of the sealed file %q cannot be", f.Name)
		}
		names[f.Name] = true
	}
	if !names[contentsName] {
		return fmt.Errorf("it does not name %s", contentsName)
	}
	return nil
}

// plainName reports whether name is one that a sealed file may have: it is shown
// to people as it is.
func plainName(name string) bool {
	return strings.HasSuffix(name, ".age") && filepath.IsLocal(name) && utf8.ValidString(name) &&
		!strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == '/' || r == '\\' || r == ':' })
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }

// readSmall reads one of the two small files of an archive's folder.
func readSmall(dir, name string) ([]byte, error) {
	f, err := openRegular(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	forget(f)
	data, err := io.ReadAll(io.LimitReader(f, maxSmall+1))
	if err == nil && len(data) > maxSmall {
		err = errors.New("it is far too long")
	}
	return data, err
}

// readManifest reads the manifest of the archive in dir.
func readManifest(dir string) (manifest, error) {
	data, err := readSmall(dir, manifestName)
	if err != nil {
		return manifest{}, err
	}
	return decodeManifest(data)
}

// sums gives what SHA256SUMS must hold, byte for byte: the sealed files and the
// manifest by name, as sha256sum writes them.
func sums(m manifest, manifestData []byte) []byte {
	files := append(slices.Clone(m.Sealed), keepwatch.SealedFile{Name: manifestName, SHA256: hexSum(manifestData)})
	slices.SortFunc(files, func(a, b keepwatch.SealedFile) int { return strings.Compare(a.Name, b.Name) })
	var b bytes.Buffer
	for _, f := range files {
		fmt.Fprintf(&b, "%s  %s\n", f.SHA256, f.Name)
	}
	return b.Bytes()
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
