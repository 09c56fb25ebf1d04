package vault

import (
	"bytes"

	"keepwatch"
)

// judge compares three witnesses of every sealed file: the file as it was read,
// the manifest and the sums. Where two agree, the third is what was changed.
type judge struct {
	f              *Folder
	p              *proof
	manifest, sums []byte
	said           map[string]string // what the sums say, by name
	sumsGone       bool
	manifestBad    bool // it contradicts the other two
	sumsBad        bool
}

func (j *judge) judge() {
	for _, want := range j.f.sealed {
		if got, ok := j.p.got[want.Name]; ok {
			j.file(got, want)
		}
	}
	m := j.f.manifest
	if m == nil {
		j.sumsAlone()
		return
	}
	j.place(*m)
	if j.manifestBad {
		j.p.problem(finding("hash", manifestName, "%s is not as it was written: it contradicts both %s and the sealed files.", manifestName, sumsName))
		return
	}
	if j.sumsGone || bytes.Equal(j.sums, sums(*m, j.manifest)) {
		return
	}
	if !j.sumsBad && j.onlyManifestLine() && bitsApart(j.said[manifestName], hexSum(j.manifest)) > nearBits {
		j.p.problem(finding("hash", manifestName, "%s is not as it was written: its SHA-256 is %s and should be %s.", manifestName, hexSum(j.manifest), j.said[manifestName]))
		return
	}
	j.p.problem(finding("hash", sumsName, "%s is not as it was written.", sumsName))
}

// file judges one sealed file.
func (j *judge) file(got, want keepwatch.SealedFile) {
	said, saidSo := j.said[got.Name]
	asManifest := got.SHA256 == want.SHA256 && (want.Size < 0 || got.Size == want.Size)
	switch {
	case j.f.manifest == nil:
		if saidSo && said != got.SHA256 {
			j.p.problem(changed(got, said, -1))
		}
	case asManifest:
		j.sumsBad = j.sumsBad || saidSo && said != got.SHA256
	case saidSo && said == got.SHA256:
		j.manifestBad = true
	default:
		j.p.problem(changed(got, want.SHA256, want.Size))
	}
}

// sumsAlone judges the sums where there is no manifest to make them from.
func (j *judge) sumsAlone() {
	if j.sumsGone {
		return
	}
	m := manifest{}
	for _, s := range j.f.sealed {
		m.Sealed = append(m.Sealed, keepwatch.SealedFile{Name: s.Name, SHA256: j.said[s.Name]})
	}
	should := sums(m, nil)
	should = bytes.Replace(should, []byte(hexSum(nil)), []byte(j.said[manifestName]), 1)
	if !bytes.Equal(j.sums, should) {
		j.p.problem(finding("hash", sumsName, "%s is not as it was written.", sumsName))
	}
}

// place sees that the manifest is the one of the archive at this place.
func (j *judge) place(m manifest) {
	source, stamp, ok := keepwatch.SplitRef(j.f.ref)
	if !ok {
		return
	}
	if own := m.Source + "/" + keepwatch.StampOf(m.Started); source != m.Source || stamp[:len(keepwatch.StampLayout)] != keepwatch.StampOf(m.Started) {
		j.p.problem(finding("content", manifestName, "%s is that of another archive, %s.", manifestName, own))
	}
}

// onlyManifestLine reports whether the sums are as they should be, apart from
// the sum of the manifest.
func (j *judge) onlyManifestLine() bool {
	said, ok := j.said[manifestName]
	should := bytes.Replace(sums(*j.f.manifest, j.manifest), []byte(hexSum(j.manifest)), []byte(said), 1)
	return ok && bytes.Equal(j.sums, should)
}

// nearBits tells two causes apart of a sum that does not fit: the sums of two
// different texts differ in about half of their 256 bits, a damaged sum in few.
const nearBits = 32

// bitsApart counts the bits in which two sums in hex differ.
func bitsApart(a, b string) int {
	n := 0
	for i := range min(len(a), len(b)) {
		for d := hexDigit(a[i]) ^ hexDigit(b[i]); d != 0; d &= d - 1 {
			n++
		}
	}
	return n
}

func hexDigit(c byte) byte {
	if c >= 'a' {
		return c - 'a' + 10
	}
	return c - '0'
}
