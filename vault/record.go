package vault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"keepwatch"
)

// recordName is a small file beside the sealed ones. It has what people said
// about an archive, which no manifest can know when it is written, and what
// retention must not forget with the state: without it a pinned archive would be
// pruned after the state was lost, and a suspicious one would push out the good.
// SHA256SUMS does not name it, since it changes; it has a sum of its own.
const recordName = "record.json"

// record is what the file holds, in one canonical form, as the manifest has.
type record struct {
	Format     int                 `json:"format"`
	Path       string              `json:"path,omitempty"` // what the archive is of, on the machine that made it
	Pinned     string              `json:"pinned,omitempty"`
	Findings   []keepwatch.Finding `json:"findings,omitempty"`
	Accepted   string              `json:"accepted,omitempty"`
	AcceptedAt time.Time           `json:"accepted_at,omitzero"`
	Sum        string              `json:"sum"` // SHA-256 of the same text with no sum in it
}

func recordOf(a keepwatch.Archive) record {
	r := record{Format: formatVersion, Path: a.Path, Pinned: strings.ToValidUTF8(a.Pinned, "\uFFFD"), Findings: a.Findings,
		Accepted: strings.ToValidUTF8(a.Accepted, "\uFFFD"), AcceptedAt: a.AcceptedAt.UTC()}
	if !utf8.ValidString(r.Path) { // JSON cannot carry it, and half a path is none
		r.Path = ""
	}
	return r
}

func (r record) encode() ([]byte, error) {
	r.Sum = ""
	plain, err := encodeJSON(r)
	if err != nil {
		return nil, err
	}
	r.Sum = hexSum(plain)
	return encodeJSON(r)
}

func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return b.Bytes(), err
}

// decodeRecord reads a record strictly, as decodeManifest does.
func decodeRecord(data []byte) (record, error) {
	var r record
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		return record{}, fmt.Errorf("read the record: %w", err)
	}
	if again, err := r.encode(); err != nil || !bytes.Equal(again, data) {
		return record{}, errChanged
	}
	return r, nil
}

// readRecord reads the record in an archive's folder. There is none in archives
// that somebody else's hands have put together; that is fs.ErrNotExist.
func readRecord(dir string) (record, error) {
	data, err := readSmall(dir, recordName)
	if err != nil {
		return record{}, err
	}
	return decodeRecord(data)
}

// into fills in what the record says.
func (r record) into(a *keepwatch.Archive) {
	a.Path, a.Pinned, a.Findings, a.Accepted, a.AcceptedAt = r.Path, r.Pinned, r.Findings, r.Accepted, r.AcceptedAt
	for i := range a.Findings {
		a.Findings[i].What = a.Ref()
	}
}

// Annotate writes beside an archive what people have said about it since it was
// made, so that it outlives the state. Nothing is written where it stands there
// already, and one whose folder is gone has nothing to be annotated.
func (v *Vault) Annotate(a keepwatch.Archive) error {
	dir, err := v.folder(a.Ref())
	if err != nil {
		return err
	}
	data, err := recordOf(a).encode()
	if err != nil {
		return fmt.Errorf("write the record of %s: %w", a.Ref(), err)
	}
	if old, err := readSmall(dir, recordName); err == nil && bytes.Equal(old, data) {
		return nil
	}
	if _, err := os.Stat(filepath.Join(dir, manifestName)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	// the temporary file lies elsewhere: in the folder it would be a stranger
	staging := filepath.Join(v.dir, stagingDir)
	temp := filepath.Join(staging, "record-"+strings.ReplaceAll(a.Ref(), "/", "_"))
	if err = makeDirs(staging); err == nil {
		err = writeSynced(temp, data)
	}
	v.crash("vault.record.before-rename")
	if err == nil {
		err = os.Rename(temp, filepath.Join(dir, recordName))
	}
	v.crash("vault.record.after-rename")
	if errors.Is(err, fs.ErrNotExist) {
		return nil // removed meanwhile
	}
	if err = errors.Join(err, syncDir(dir)); err != nil {
		return trouble("What was said about "+a.Ref()+" cannot be written beside it", err)
	}
	return nil
}

// record tells of a record that is not as it was written.
func (f *Folder) record(p *proof) {
	if _, err := readRecord(f.dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.problem(finding("hash", recordName, "%s is damaged: %v. It says whether the archive is pinned; the sealed files do not need it. It is written anew from the bot's own records.", recordName, err))
	}
}
