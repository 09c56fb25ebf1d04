package cpanel

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"keepwatch"
	"keepwatch/providers"
)

// planReturn says what is put back of sets, the oldest first, so that the newer ones go
// on top of them. account is the one of the source.
func planReturn(ctx context.Context, account keepwatch.Hosting, sets []providers.Set, parts []string) (keepwatch.ReturnPlan, error) {
	sets = slices.Clone(sets)
	slices.SortStableFunc(sets, func(a, b providers.Set) int { return a.Archive.AsOf().Compare(b.Archive.AsOf()) })
	p := planner{account: account, parts: parts}
	for _, set := range sets {
		if err := p.whose(set.Archive); err != nil {
			return keepwatch.ReturnPlan{}, err
		}
		for _, e := range set.Entries {
			if err := p.add(ctx, set, e); err != nil {
				return keepwatch.ReturnPlan{}, err
			}
		}
	}
	p.administrators()
	slices.Sort(p.plan.Known)
	p.plan.Known = slices.Compact(p.plan.Known)
	for _, part := range parts {
		if !slices.Contains(p.plan.Known, part) {
			return keepwatch.ReturnPlan{}, keepwatch.Errorf(keepwatch.KindInvalid, "%s is not in %s. What can be put back: %s.", keepwatch.Printable(part), archivesNamed(sets), known(p.plan.Known))
		}
	}
	return p.plan, nil
}

func archivesNamed(sets []providers.Set) string {
	var refs []string
	for _, s := range sets {
		refs = append(refs, s.Archive.Ref())
	}
	return strings.Join(refs, ", ")
}

func known(parts []string) string {
	if len(parts) == 0 {
		return "nothing"
	}
	parts = slices.Clone(parts) // those that are no single database first: there may be hundreds of them
	slices.SortStableFunc(parts, func(a, b string) int {
		one := func(part string) int { return min(len(part)-len(strings.TrimPrefix(part, keepwatch.PartDatabase)), 1) }
		return one(a) - one(b)
	})
	return showAll(parts)
}

// planner makes a plan of one file of an archive after the other.
type planner struct {
	account keepwatch.Hosting
	parts   []string // empty: all
	plan    keepwatch.ReturnPlan
	whole   []string // refs of the full backups of which all was asked for, the oldest first
}

// whose sees whether an archive is of the account that it would go into: its source may
// have come to mean another one. The same account on another host may be meant, after a
// move, and whoever confirms is told of it.
func (p *planner) whose(a keepwatch.Archive) error {
	of, into, ref := "", p.account.Account(), a.Ref()
	if a.Inside != nil {
		of = a.Inside.Account
	}
	user, _, _ := strings.Cut(of, " at ")
	switch {
	case of == into:
	case of == "":
		p.plan.Mind = append(p.plan.Mind, fmt.Sprintf("Of which account %s is was not written down, so nobody has compared it with %s. Make sure that it is of that one.", ref, into))
	case user != p.account.User:
		return p.another(ref, user)
	default:
		p.plan.Mind = append(p.plan.Mind, fmt.Sprintf("%s is of the account %s, and it would go into %s: the host is another one. That is right only if the account has moved there.", ref, of, into))
	}
	return nil
}

func (p *planner) another(ref, user string) error {
	return keepwatch.Errorf(keepwatch.KindInvalid, "%s is of the account %s, and keepwatch.yaml now says %s. Nothing is put back into another account. `backup restore %s --to FOLDER` gives the files.", ref, user, p.account.User, ref)
}

// asked reports whether a part is to be put back; group is the one that it belongs to.
func (p *planner) asked(part, group string) bool {
	return len(p.parts) == 0 || slices.Contains(p.parts, part) || group != "" && slices.Contains(p.parts, group)
}

// put plans an item, if it is asked for.
func (p *planner) put(set providers.Set, e keepwatch.Entry, item keepwatch.ReturnItem, group string) {
	p.plan.Known = append(p.plan.Known, item.Part)
	if group != "" {
		p.plan.Known = append(p.plan.Known, group)
	}
	if !p.asked(item.Part, group) {
		return
	}
	item.Archive, item.At, item.Path, item.Into = set.Archive.Ref(), set.Archive.AsOf(), e.Path, p.account.Account()
	if item.Inner == "" {
		item.Bytes = e.Size
	} else {
		item.Of = e.Size
	}
	p.plan.Items = append(p.plan.Items, item)
}

// not notes what cannot be put back, once.
func (p *planner) not(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(p.plan.Not, text) {
		p.plan.Not = append(p.plan.Not, text)
	}
}

// add plans what is in one file of an archive: a full backup, or a part that was
// downloaded by itself, which its folder tells.
func (p *planner) add(ctx context.Context, set providers.Set, e keepwatch.Entry) error {
	if e.Type != keepwatch.EntryFile {
		return nil
	}
	folder, file := path.Split(e.Path)
	switch folder {
	case "home/":
		p.put(set, e, keepwatch.ReturnItem{Name: "home directory", Part: keepwatch.PartHome}, "")
	case "databases/":
		if db, ok := strings.CutSuffix(file, ".sql.gz"); ok {
			p.put(set, e, databaseItem(db), keepwatch.PartDatabases)
			return nil
		}
		p.not("%s of %s is not a dump of a MySQL database, and nothing else can be put back by the account.", keepwatch.Printable(e.Path), set.Archive.Ref())
	case "forwarders/":
		domain := strings.TrimSuffix(strings.TrimPrefix(file, "aliases-"), ".gz")
		p.put(set, e, keepwatch.ReturnItem{Name: "e-mail forwarders of " + domain, Part: keepwatch.PartForwarders}, "")
	case "filters/":
		name := strings.TrimSuffix(file, ".gz")
		if domain, ok := strings.CutPrefix(name, "filter-"); ok {
			name = "e-mail filters of " + domain
		} else {
			name = "e-mail filters"
		}
		p.put(set, e, keepwatch.ReturnItem{Name: name, Part: keepwatch.PartFilters}, "")
	default:
		if of, ok := fullOf(file, p.account.User); ok && folder == "" {
			return p.full(ctx, set, e, of)
		}
		p.not("%s of %s is nothing that Keepwatch knows how to put back.", keepwatch.Printable(e.Path), set.Archive.Ref())
	}
	return nil
}

func databaseItem(db string) keepwatch.ReturnItem {
	return keepwatch.ReturnItem{Name: "database " + db, Part: keepwatch.PartDatabase + db}
}

// fullOf reports whether a file is a full backup by its name, and of which account. A
// name that leaves the account out is taken for one of user's.
func fullOf(file, user string) (of string, ok bool) {
	if parts, ok := readName(file); ok {
		if parts.user == "" {
			return user, true
		}
		return parts.user, true
	}
	return user, isBackup(file, user) || file == "cpmove-"+user+".tar.gz" // the second is what pkgacct makes
}

// wholeAccount is what a restore by WHM does beyond files and databases.
const wholeAccount = "WHM restores the whole account over the one that there is: its password, package and quota, DNS zones, certificates, mailboxes and e-mail settings become those of that day too. To put back files or databases alone, name them: home, databases, database:NAME."

// full plans what is in a full backup of an account. With WHM that is all of it, where
// no parts are named.
func (p *planner) full(ctx context.Context, set providers.Set, e keepwatch.Entry, of string) error {
	ref := set.Archive.Ref()
	if of != p.account.User {
		return p.another(ref, of)
	}
	if p.account.WHM != "" {
		p.put(set, e, keepwatch.ReturnItem{Name: "whole account " + of, Part: partAccount}, "")
		if len(p.parts) == 0 && !slices.Contains(p.plan.Mind, wholeAccount) {
			p.plan.Mind = append(p.plan.Mind, wholeAccount)
		}
		if len(p.parts) == 0 {
			return nil
		}
	}
	found, err := p.inside(ctx, set, e)
	if err != nil {
		return err
	}
	if found.home {
		p.put(set, e, keepwatch.ReturnItem{Name: "home directory", Part: keepwatch.PartHome, Inner: innerHome}, "")
	}
	for _, db := range found.databases {
		if !keepwatch.ValidHostingPart(keepwatch.PartDatabase + db) {
			p.not("The database %s of %s cannot be put back: its name is none that a host has.", keepwatch.Printable(db), ref)
			continue
		}
		item := databaseItem(db)
		item.Inner = "mysql/" + db + ".sql"
		p.put(set, e, item, keepwatch.PartDatabases)
	}
	for _, domain := range found.domains {
		p.put(set, e, keepwatch.ReturnItem{Name: "e-mail forwarders of " + domain, Part: keepwatch.PartForwarders, Inner: "va/" + domain}, "")
	}
	if found.filters {
		p.put(set, e, keepwatch.ReturnItem{Name: "e-mail filters", Part: keepwatch.PartFilters, Inner: innerFilters}, "")
	}
	if len(p.parts) > 0 {
		return nil
	}
	for _, db := range found.postgres {
		p.not("The PostgreSQL database %s cannot be put back by the account: cPanel has no function for it. Its dump is in the archive, in psql/.", db)
	}
	p.whole = append(p.whole, ref)
	return nil
}

// administrators says what of full backups only the host's administrator can put back,
// once: from the newest of them.
func (p *planner) administrators() {
	if len(p.whole) == 0 {
		return
	}
	ref := p.whole[len(p.whole)-1]
	p.not("Settings of the account, its package, passwords and quota, DNS zones, certificates and keys, cron jobs, FTP accounts, mailing lists, and the users of databases with their rights cannot be put back by the account itself. The host's administrator can, with the whole archive %s, in WHM under Transfers, Restore a Full Backup; `backup restore %s --to FOLDER` gives the file.", ref, ref)
	p.not("Domains, mailboxes and databases that no longer exist in the account are made anew in cPanel first: what is put back does not create them.")
}

// inside says what a full backup holds: as it was seen when it was brought home, or
// by reading it, where nobody has looked.
func (p *planner) inside(ctx context.Context, set providers.Set, e keepwatch.Entry) (holding, error) {
	if in := set.Archive.Inside; in != nil && in.Mail != nil {
		return holding{home: in.Files > 0, databases: lacking(in.Databases, in.Postgres), postgres: in.Postgres, domains: in.Mail.Forwarders, filters: in.Mail.Filters}, nil
	}
	_, content, err := set.From.OpenEntry(ctx, set.Archive.Ref(), e.Path)
	if err != nil {
		return holding{}, err
	}
	defer content.Close()
	return lookInside(content)
}
