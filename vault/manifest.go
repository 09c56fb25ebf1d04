package vault

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

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

// manifest says what an archive is. It holds no name from inside. It has one
// canonical form on disk (two-space indent, fields in this order, a line feed
// at the end), so that any change of it is found.
type manifest struct {
	Format      int                          `json:"format"`
	Source      string                       `json:"source"`
	Kind        keepwatch.SourceKind         `json:"kind"`
	Parts       int                          `json:"parts"` // how many parts were asked for; 0 is all
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

// maxManifest bounds what is read of a manifest; ours are a few KiB.
const maxManifest = 4 << 20

func (m manifest) encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(m)
	return b.Bytes(), err
}

// errChanged is a manifest that is not in its canonical form.
var errChanged = errors.New("it is not as Keepwatch wrote it")

// decodeManifest reads a manifest strictly: what it accepts encodes to the same
// bytes, and every name in it is a plain file name.
func decodeManifest(data []byte) (manifest, error) {
	var m manifest
	var head struct{ Format int }
	if err := json.Unmarshal(data, &head); err == nil && head.Format > formatVersion {
		return m, keepwatch.Errorf(keepwatch.KindAttention, "This archive was written by a newer Keepwatch (format %d; this one knows %d). Use that version.", head.Format, formatVersion)
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
	if !keepwatch.ValidName(m.Source) || len(m.Sealed) == 0 {
		return m, errors.New("read the manifest: it names no source or no sealed file")
	}
	for _, f := range m.Sealed {
		if f.Name == "" || f.Name != filepath.Base(f.Name) || strings.ContainsAny(f.Name, "/\\\n") || f.Name == "." || f.Name == ".." ||
			f.Size < 0 || len(f.SHA256) != 64 {
			return m, fmt.Errorf("read the manifest: %q is no sealed file", f.Name)
		}
	}
	return m, nil
}

// readManifest reads the manifest of the archive in dir, and its bytes.
func readManifest(dir string) (manifest, []byte, error) {
	f, err := os.Open(filepath.Join(dir, manifestName))
	if err != nil {
		return manifest{}, nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxManifest))
	if err != nil {
		return manifest{}, nil, err
	}
	m, err := decodeManifest(data)
	return m, data, err
}

// sums gives what SHA256SUMS must hold, byte for byte: the sealed files and the
// manifest by name, as sha256sum writes them.
func sums(m manifest, manifestData []byte) []byte {
	sum := sha256.Sum256(manifestData)
	files := append(slices.Clone(m.Sealed), keepwatch.SealedFile{Name: manifestName, SHA256: hex.EncodeToString(sum[:])})
	slices.SortFunc(files, func(a, b keepwatch.SealedFile) int { return strings.Compare(a.Name, b.Name) })
	var b bytes.Buffer
	for _, f := range files {
		fmt.Fprintf(&b, "%s  %s\n", f.SHA256, f.Name)
	}
	return b.Bytes()
}

// archive makes the record of an archive out of its manifest.
func (m manifest) archive(stamp string) keepwatch.Archive {
	return keepwatch.Archive{
		Version: 1, Source: m.Source, Stamp: stamp, Kind: m.Kind, Run: m.Run,
		Started: m.Started, Finished: m.Finished, Items: m.Items, Bytes: m.Bytes,
		SealedBytes: m.SealedBytes, Sealed: m.Sealed, Recipients: m.Recipients, Counts: m.Counts,
	}
}

// List gives the archives that lie in the vault, from their manifests. A folder
// whose manifest cannot be read is left out: Verify says what is wrong with it.
func (v *Vault) List() ([]keepwatch.Archive, error) {
	var list []keepwatch.Archive
	sources, err := os.ReadDir(v.dir)
	if err != nil {
		return nil, trouble("The vault folder "+v.dir+" cannot be read", err)
	}
	for _, s := range sources {
		if !s.IsDir() || !keepwatch.ValidName(s.Name()) {
			continue
		}
		stamps, err := os.ReadDir(filepath.Join(v.dir, s.Name()))
		if err != nil {
			return nil, trouble("The vault folder of "+s.Name()+" cannot be read", err)
		}
		for _, st := range stamps {
			m, _, err := readManifest(filepath.Join(v.dir, s.Name(), st.Name()))
			if err == nil && m.Source == s.Name() && keepwatch.ValidStamp(st.Name()) {
				list = append(list, m.archive(st.Name()))
			}
		}
	}
	return list, nil
}
