package cpanel

import (
	"io"

	"keepwatch"
)

// Proof is what a proof of an archive has found, for tests outside of the package.
type Proof struct {
	Inside   keepwatch.Inside
	Problems []keepwatch.Finding
	Notes    []keepwatch.Note
}

// Prove proves a full backup of an account with these databases.
func Prove(user string, databases []string, size int64, archive io.Reader) (Proof, error) {
	p := newProver(expected{user: user, databases: databases, size: size})
	defer p.Abandon()
	if _, err := io.Copy(p, archive); err != nil {
		return Proof{}, err
	}
	v, err := p.Finish()
	return Proof{v.inside, v.problems, v.notes}, err
}
