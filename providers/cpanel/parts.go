package cpanel

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"keepwatch"
	"keepwatch/providers"
)

// portion is one file that a part consists of. The host makes it while it is downloaded,
// so that nobody knows its size before.
type portion struct {
	part  string // as it is asked for
	what  string // for a sentence
	route string // of the download
	entry string // its name in the archive
	size  int64  // what it is packed from, about
	proof func() *prover
}

// knownParts is how the parts are named to a person.
const knownParts = "home, databases, database:NAME, forwarders and filters"

// planParts sees that the parts are there.
func (p *Provider) planParts(ctx context.Context, job providers.Job, h host, u user) (keepwatch.Plan, error) {
	pieces, _, err := p.pieces(ctx, job, h, u)
	if err != nil {
		return keepwatch.Plan{}, err
	}
	plan := keepwatch.Plan{Items: int64(len(pieces))}
	for _, x := range pieces {
		plan.Bytes += x.size
	}
	return plan, nil
}

// pieces gives what the parts of a job consist of, and what is to be said of parts that
// have nothing in them.
func (p *Provider) pieces(ctx context.Context, job providers.Job, h host, u user) ([]portion, []keepwatch.Note, error) {
	asked := slices.Compact(slices.Sorted(slices.Values(parts(job))))
	for _, part := range asked {
		if !keepwatch.ValidHostingPart(part) {
			return nil, nil, keepwatch.Errorf(keepwatch.KindInvalid, "%q is no part of a hosting account. Its parts are %s; without any, all of it is backed up.", part, knownParts)
		}
	}
	if err := allowed(u); err != nil {
		return nil, nil, err
	}
	var all []portion
	var notes []keepwatch.Note
	for _, part := range asked {
		got, note, err := p.piecesOf(ctx, job, h, u, part)
		if err != nil {
			return nil, nil, err
		}
		if note != "" {
			notes = append(notes, keepwatch.Note{Kind: keepwatch.NoteInfo, Path: part, Text: note})
		}
		for _, x := range got { // "databases" and "database:ruthin_wp" have one in common
			if !slices.ContainsFunc(all, func(y portion) bool { return y.entry == x.entry }) {
				all = append(all, x)
			}
		}
	}
	if len(all) == 0 {
		var texts []string
		for _, n := range notes {
			texts = append(texts, n.Text)
		}
		return nil, nil, keepwatch.Errorf(keepwatch.KindInvalid, "There is nothing to back up: %s.", strings.Join(texts, "; "))
	}
	return all, notes, nil
}

func (p *Provider) piecesOf(ctx context.Context, job providers.Job, h host, u user, part string) ([]portion, string, error) {
	switch part {
	case keepwatch.PartHome:
		x, err := p.homePiece(ctx, job, h, u)
		return []portion{x}, "", err
	case keepwatch.PartForwarders:
		return domainPieces(ctx, h, part, "list_forwarders_backups", "/getaliasbackup/aliases-", "forwarders/aliases-", "e-mail forwarders")
	case keepwatch.PartFilters:
		return domainPieces(ctx, h, part, "list_filters_backups", "/getfilterbackup/filter-", "filters/filter-", "e-mail filters")
	}
	return databasePieces(ctx, h, u, part)
}

func (p *Provider) homePiece(ctx context.Context, job providers.Job, h host, u user) (portion, error) {
	q, _, err := quota(ctx, h, p.now())
	if err != nil {
		return portion{}, err
	}
	day := job.Began
	if day.IsZero() {
		day = p.now()
	}
	name := partialName(orElse(string(u.Domain), string(u.User)), day)
	return portion{part: keepwatch.PartHome, what: "the home directory", route: "/getbackup/" + url.PathEscape(name), entry: "home/" + name, size: q.Used, proof: newHomeProver}, nil
}

// databasePieces gives all databases, or the one that is asked for.
func databasePieces(ctx context.Context, h host, u user, part string) ([]portion, string, error) {
	all, known, err := databases(ctx, h, "Mysql")
	if err != nil {
		return nil, "", err
	}
	if !known {
		return nil, "", keepwatch.Errorf(keepwatch.KindAttention, "The host does not say which databases the account %s has, so that they cannot be backed up one by one. It may have no MySQL, or the account no right to it; a full backup holds what there is.", u.User)
	}
	name, one := strings.CutPrefix(part, keepwatch.PartDatabase)
	if one {
		i := slices.IndexFunc(all, func(d database) bool { return string(d.Name) == name })
		if i < 0 {
			return nil, "", keepwatch.Errorf(keepwatch.KindInvalid, "The account %s has no database %s. %s", u.User, name, thoseThatAre(all))
		}
		all = all[i : i+1]
	}
	var pieces []portion
	for _, d := range all {
		if !keepwatch.ValidHostingPart(keepwatch.PartDatabase + string(d.Name)) { // it could be no file's name
			return nil, "", keepwatch.Errorf(keepwatch.KindAttention, "The host names a database %q, which cannot be downloaded by such a name. Make a full backup.", d.Name)
		}
		file := string(d.Name) + ".sql.gz"
		pieces = append(pieces, portion{part: part, what: "the database " + string(d.Name), route: "/getsqlbackup/" + url.PathEscape(file), entry: "databases/" + file, size: int64(d.Size), proof: func() *prover { return newDumpProver(string(d.Name)) }})
	}
	slices.SortFunc(pieces, func(a, b portion) int { return strings.Compare(a.entry, b.entry) })
	if len(pieces) == 0 {
		return nil, "the account has no databases", nil
	}
	return pieces, "", nil
}

func thoseThatAre(all list[database]) string {
	if len(all) == 0 {
		return "It has none at all."
	}
	return "It has " + showAll(namesOf(all)) + "."
}

// domainPieces gives a file for each domain for which the host offers one (UAPI
// Email::list_forwarders_backups and ::list_filters_backups, since 11.42).
func domainPieces(ctx context.Context, h host, part, function, route, entry, what string) ([]portion, string, error) {
	var domains list[struct {
		Domain text `json:"domain"`
	}]
	if err := h.uapi(ctx, "Email", function, nil, &domains); err != nil {
		if refusedCall(err) {
			return nil, "", keepwatch.Errorf(keepwatch.KindAttention, "The host does not give out the %s: %s Ask it to turn on e-mail and backups for the account, or leave that part out.", what, said(err)).Because(err)
		}
		return nil, "", err
	}
	var pieces []portion
	for _, d := range domains {
		name := string(d.Domain)
		if name == "" || strings.ContainsAny(name, "/\\\x00") || strings.HasPrefix(name, ".") {
			continue
		}
		of := "the " + what + " of " + name
		pieces = append(pieces, portion{part: part, what: of, route: route + url.PathEscape(name) + ".gz", entry: entry + name + ".gz", proof: func() *prover { return newTextProver(of) }})
	}
	slices.SortFunc(pieces, func(a, b portion) int { return strings.Compare(a.entry, b.entry) })
	if len(pieces) == 0 {
		return nil, "the account has no " + what, nil
	}
	return pieces, "", nil
}

// said gives what a host says about a refusal, as a sentence.
func said(err error) string {
	text := ""
	if s := keepwatch.Sentence(err); s != "" {
		text = s
	} else if err != nil {
		text = err.Error()
	}
	if text != "" && !strings.ContainsAny(text[len(text)-1:], ".!?") {
		text += "."
	}
	return text
}

// fetchParts downloads the parts one after the other, each proved on the way. What was
// asked for by name must be there.
func (p *Provider) fetchParts(ctx context.Context, job providers.Job, a keepwatch.Hosting, h host, sink providers.Sink) error {
	u, err := whoIs(ctx, h, a)
	if err != nil {
		return err
	}
	pieces, notes, err := p.pieces(ctx, job, h, u)
	if err != nil {
		return err
	}
	for _, n := range notes {
		if err := sink.Note(n); err != nil {
			return err
		}
	}
	t := &taking{job: job, sink: sink}
	var inside keepwatch.Inside
	var proofs []verdict
	var dumps []dump
	for _, x := range pieces {
		v, err := t.piece(ctx, h, x, p.now())
		if err != nil {
			return err
		}
		proofs, dumps = append(proofs, v), append(dumps, v.dumps...)
		merge(&inside, v.inside)
	}
	problems, more := settleDumps(dumps)
	return t.judge(append(proofs, verdict{problems: problems, notes: more}), inside)
}

// piece downloads one.
func (t *taking) piece(ctx context.Context, h host, x portion, now time.Time) (verdict, error) {
	rc, err := h.read(ctx, x.route, -1)
	if err != nil {
		return verdict{}, t.notGiven(x, err)
	}
	defer rc.Close()
	e := keepwatch.Entry{Path: x.entry, Type: keepwatch.EntryFile, Size: -1, Mode: 0o600, ModTime: now}
	return t.take(ctx, e, rc, x.proof())
}

// notGiven says which part the host does not give out, and what else can be done.
func (t *taking) notGiven(x portion, err error) error {
	kind := keepwatch.KindOf(err)
	if kind == keepwatch.KindTransient || kind == keepwatch.KindCancelled {
		return err
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "The host does not give out %s of %s: %s Leave that part out, or make a full backup: that can also be sent to a receiver of yours (push: in keepwatch.yaml) where nothing can be downloaded.", x.what, t.job.Source.Name, said(err)).Because(err)
}
