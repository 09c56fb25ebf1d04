package vault

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"keepwatch"
)

// recordName is a small file beside the sealed ones. It has what people said
// about an archive, which no manifest can know when it is written, and what
// retention must not forget with the state: without it a pinned archive would be
// pruned after the state was lost, and a suspicious or damaged one would push out
// the good. What is not understood of it is never written over unasked.
// SHA256SUMS does not name it, since it changes; it has a sum of its own.
const recordName = "record.json"

// record is what the file holds, in one canonical form, as the manifest has. It
// has no name from inside: of damage it says only when it was found and by which
// rules.
type record struct {
	Format     int                 `json:"format"`
	Revision   int64               `json:"revision,omitempty"`
	Path       string              `json:"path,omitempty"` // what the archive is of, on the machine that made it
	Pinned     string              `json:"pinned,omitempty"`
	Findings   []keepwatch.Finding `json:"findings,omitempty"`
	Accepted   string              `json:"accepted,omitempty"`
	AcceptedAt time.Time           `json:"accepted_at,omitzero"`
	Damage     []string            `json:"damage,omitempty"` // rules of what the newest verification found
	DamageAt   time.Time           `json:"damage_at,omitzero"`
	Sum        string              `json:"sum"` // SHA-256 of the same text with no sum in it
}

func recordOf(a keepwatch.Archive) record {
	r := record{Format: formatVersion, Revision: a.Revision, Path: a.Path, Pinned: strings.ToValidUTF8(a.Pinned, "\uFFFD"), Findings: a.Findings,
		Accepted: strings.ToValidUTF8(a.Accepted, "\uFFFD"), AcceptedAt: a.AcceptedAt.UTC()}
	if !utf8.ValidString(r.Path) { // JSON cannot carry it, and half a path is none
		r.Path = ""
	}
	if v, ok := a.LastVerification(); ok && !v.OK() {
		for _, p := range v.Problems {
			if !slices.Contains(r.Damage, p.Rule) {
				r.Damage = append(r.Damage, p.Rule)
			}
		}
		r.DamageAt = v.At.UTC()
	}
	return r
}

// SameRecord reports whether the same would be written beside both, their
// revisions apart.
func SameRecord(a, b keepwatch.Archive) bool {
	a.Revision, b.Revision = 0, 0
	one, err := recordOf(a).encode()
	other, otherErr := recordOf(b).encode()
	return err == nil && otherErr == nil && bytes.Equal(one, other)
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
	a.Path, a.Pinned, a.Findings, a.Accepted, a.AcceptedAt, a.Revision = r.Path, r.Pinned, r.Findings, r.Accepted, r.AcceptedAt, r.Revision
	for i := range a.Findings {
		a.Findings[i].What = a.Ref()
	}
	r.damage(a)
}

// damage adds the damage that the record tells of, where the archive was not
// verified since.
func (r record) damage(a *keepwatch.Archive) {
	if v, ok := a.LastVerification(); len(r.Damage) == 0 || ok && !v.At.Before(r.DamageAt) {
		return
	}
	a.Add(keepwatch.Verification{At: r.DamageAt, Level: keepwatch.LevelSealed, Problems: []keepwatch.Finding{finding("damaged", a.Ref(),
		"It was found damaged on %s (%s), as is written beside it. `backup verify` says what it is.", r.DamageAt.Format("2 January 2006 at 15:04 UTC"), strings.Join(r.Damage, ", "))}})
}

// unread makes a pinned archive of one whose record cannot be understood.
func unread(a *keepwatch.Archive) {
	a.Unread = true
	if a.Pinned == "" {
		a.Pinned = maybePinned
	}
}

// maybePinned is why an archive is kept whose record cannot be understood.
const maybePinned = "its " + recordName + " cannot be read, which may say so"

// Reconcile compares what the state knows about an archive with what is written
// beside it, and gives what is true of both. The state is the newer one where it
// has more revisions. Where it has not, and the two differ, an older copy of it
// was put back: a pin, a doubt or damage on either side then stays.
func (v *Vault) Reconcile(a keepwatch.Archive) keepwatch.Archive {
	dir, err := v.folder(a.Ref())
	if err != nil {
		return a
	}
	r, err := readRecord(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return a
	case err != nil:
		unread(&a)
		return a
	}
	if a.Unread && a.Pinned == maybePinned { // it can be read again
		a.Pinned = ""
	}
	a.Unread = false
	return r.merge(a)
}

func (r record) merge(a keepwatch.Archive) keepwatch.Archive {
	said := a
	r.into(&said)
	if a.Revision > r.Revision || SameRecord(a, said) {
		return a
	}
	out := a
	out.Path, out.Pinned = cmp.Or(r.Path, a.Path), cmp.Or(r.Pinned, a.Pinned)
	out.Findings = slices.Clone(said.Findings)
	for _, f := range a.Findings {
		if !slices.ContainsFunc(out.Findings, func(g keepwatch.Finding) bool { return g.Rule == f.Rule && g.Text == f.Text }) {
			out.Findings = append(out.Findings, f)
		}
	}
	for i := range out.Findings {
		out.Findings[i].What = a.Ref()
	}
	out.Accepted, out.AcceptedAt = "", time.Time{}
	for _, side := range []keepwatch.Archive{a, said} { // whoever accepted must have seen all of them
		if side.Accepted != "" && len(side.Findings) == len(out.Findings) {
			out.Accepted, out.AcceptedAt = side.Accepted, side.AcceptedAt
		}
	}
	r.damage(&out)
	out.Revision = max(a.Revision, r.Revision) + 1
	return out
}

// Annotate writes beside an archive what is known about it since it was made, so
// that it outlives the state. Nothing is written where it stands there already,
// and one whose folder is gone has nothing to be annotated. What cannot be
// understood is written over only where a person has settled what it may say.
func (v *Vault) Annotate(a keepwatch.Archive, settled bool) error {
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
	if _, err := readRecord(dir); !settled && err != nil && !errors.Is(err, fs.ErrNotExist) {
		if a.Unread {
			return nil // that is known
		}
		return keepwatch.Errorf(keepwatch.KindAttention, "The %s beside %s is not what Keepwatch wrote, and is left as it is.", recordName, a.Ref()).Because(err)
	}
	if err := v.writeRecord(dir, a.Ref(), data); err != nil {
		return trouble("What was said about "+a.Ref()+" cannot be written beside it", err)
	}
	return nil
}

// writeRecord puts a record in its place. One that is gone meanwhile is removed.
func (v *Vault) writeRecord(dir, ref string, data []byte) error {
	// the temporary file lies elsewhere: in the folder it would be a stranger
	staging, name := filepath.Join(v.dir, stagingDir), "record-"+strings.ReplaceAll(ref, "/", "_")
	temp, to := filepath.Join(staging, name), filepath.Join(dir, recordName)
	err := makeDirs(staging)
	if err == nil {
		err = writeSynced(temp, data)
	}
	if info, statErr := os.Lstat(to); err == nil && statErr == nil && info.IsDir() { // no file takes the name of a folder
		trash := filepath.Join(v.dir, trashDir)
		if err = errors.Join(makeDirs(trash), os.RemoveAll(filepath.Join(trash, name))); err == nil {
			err = os.Rename(to, filepath.Join(trash, name))
		}
	}
	v.crash("vault.record.before-rename")
	if err == nil {
		err = os.Rename(temp, to)
	}
	v.crash("vault.record.after-rename")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(err, syncDir(dir))
}

// record tells of a record that is not as it was written.
func (f *Folder) record(p *proof) {
	if _, err := readRecord(f.dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.problem(finding("hash", recordName, "%s is damaged: %v. It says whether the archive is pinned, so the archive stays; the sealed files do not need it. Say it again with `backup pin %s`, or `backup pin %s --off`: then it is written anew.", recordName, err, f.ref, f.ref))
	}
}
