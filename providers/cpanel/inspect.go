package cpanel

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// Inspect looks at what the host holds of the account's backups, its version, the room
// and what runs out. What the host does not say or allow is left out.
func (p *Provider) Inspect(ctx context.Context, source keepwatch.Source) (keepwatch.ServerState, error) {
	var state keepwatch.ServerState
	a, h, err := p.account(source)
	if err != nil {
		return state, err
	}
	u, err := whoIs(ctx, h, a)
	if err != nil {
		return state, err
	}
	if state.Backups, err = p.held(ctx, h, a, u, source.Rotation); err != nil {
		return state, err
	}
	v, err := h.version(ctx)
	switch {
	case err == nil:
		state.Software = "cPanel " + v.String()
	case !refusedCall(err):
		return state, err
	}
	q, known, err := quota(ctx, h, p.now())
	if err != nil {
		return state, err
	}
	if known {
		state.Quota = &q
	}
	tokens, err := tokensOf(ctx, h, a)
	if err != nil {
		return state, err
	}
	if state.Expiring, err = p.expiring(ctx, h, a, tokens); err != nil {
		return state, err
	}
	state.Lacks = lacks(a, u, v, tokens, len(source.Parts) == 0)
	return state, nil
}

// held lists what the host holds, the newest first: full backups in the account's
// home, and the host's own, which it rotates away and only its administrator gets at.
//
// What lies in the home stays until somebody removes it. There are hosts that put their
// own backups there for people to download, and keep the newest few of them: no call
// says so, but somebody has written rotation: into keepwatch.yaml, and there is nothing
// else that it can be about.
func (p *Provider) held(ctx context.Context, h host, a keepwatch.Hosting, u user, rotation keepwatch.Rotation) ([]keepwatch.ServerBackup, error) {
	files, err := homeBackups(ctx, h, u)
	if err != nil {
		return nil, err
	}
	w := &watcher{host: h, user: u}
	s, err := w.status(ctx)
	if err != nil {
		return nil, err
	}
	var list []keepwatch.ServerBackup
	for _, f := range files {
		state := s.of[f.name]
		if state == stateWriting || state == stateStale || state == stateUnknown && p.now().Sub(f.mtime) < arrives && !f.mtime.IsZero() {
			continue // it is still written, or never will be whole
		}
		list = append(list, keepwatch.ServerBackup{ID: f.name, At: f.made(), Size: f.size, Kind: "full", Path: f.path, Stays: true})
	}
	days, err := managed(ctx, h, a)
	if err != nil {
		return nil, err
	}
	if rotation != (keepwatch.Rotation{}) && len(days) == 0 {
		for i := range list {
			list[i].Stays = false
		}
	}
	list = append(list, days...)
	slices.SortStableFunc(list, func(x, y keepwatch.ServerBackup) int { return y.At.Compare(x.At) })
	return list, nil
}

// managed lists the host's own backups of the account. They have dates and nothing
// else (UAPI Backup::list_backups: "2014-12-02T00:00:00.000Z"); WHM knows those on other
// servers too.
func managed(ctx context.Context, h host, a keepwatch.Hosting) ([]keepwatch.ServerBackup, error) {
	var dates list[text]
	asked := false
	if a.WHM != "" {
		var got struct {
			Sets map[string]list[struct {
				When text `json:"when"`
			}] `json:"backup_set"`
		}
		err := h.whm(ctx, "backup_set_list_combined", nil, &got)
		if err != nil && !refusedCall(err) {
			return nil, err
		}
		asked = err == nil
		for _, s := range got.Sets[a.User] {
			dates = append(dates, s.When)
		}
	}
	if !asked {
		if err := h.uapi(ctx, "Backup", "list_backups", nil, &dates); err != nil && !refusedCall(err) {
			return nil, err
		}
	}
	var list []keepwatch.ServerBackup
	for _, d := range dates {
		at, ok := dayOf(string(d))
		id := at.Format(time.DateOnly)
		if ok && !slices.ContainsFunc(list, func(b keepwatch.ServerBackup) bool { return b.ID == id }) {
			list = append(list, keepwatch.ServerBackup{ID: id, At: at})
		}
	}
	return list, nil
}

// dayOf reads a date as hosts write it, with a time behind it or without.
func dayOf(s string) (time.Time, bool) {
	day, _, _ := strings.Cut(s, "T")
	at, err := time.Parse(time.DateOnly, day)
	return at, err == nil
}

// token is one of the account's, or of WHM.
type token struct {
	Name     text  `json:"name"`
	Expires  stamp `json:"expires_at"`
	ReadOnly flag  `json:"readonly"`
}

// tokensOf lists them; nothing where the host does not say.
func tokensOf(ctx context.Context, h host, a keepwatch.Hosting) ([]token, error) {
	if a.Token.IsZero() {
		return nil, nil
	}
	if a.WHM == "" {
		var all list[token]
		if err := h.uapi(ctx, "Tokens", "list", nil, &all); err != nil && !refusedCall(err) {
			return nil, err
		}
		return named(all, a.TokenName), nil
	}
	var got struct {
		Tokens map[string]json.RawMessage `json:"tokens"` // by name
	}
	if err := h.whm(ctx, "api_token_list", nil, &got); err != nil && !refusedCall(err) {
		return nil, err
	}
	var all []token
	for name, raw := range got.Tokens {
		t := token{Name: text(name)}
		if json.Unmarshal(raw, &t) == nil {
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(x, y token) int { return strings.Compare(string(x.Name), string(y.Name)) })
	return named(all, a.TokenName), nil
}

// named gives the token of a name, or all of them where its name is not known. It is
// empty and not nil where there are some and none of that name.
func named(all []token, name string) []token {
	if name == "" || len(all) == 0 {
		return all
	}
	i := slices.IndexFunc(all, func(t token) bool { return string(t.Name) == name })
	if i < 0 {
		return []token{}
	}
	return all[i : i+1]
}

// expiring gives what runs out: the token (the soonest, where nobody has said which it
// is), the certificate of the host's own port, and those of the account's domains that
// the host does not renew by itself.
func (p *Provider) expiring(ctx context.Context, h host, a keepwatch.Hosting, tokens []token) ([]keepwatch.Expiring, error) {
	var all []keepwatch.Expiring
	var soonest token
	for _, t := range tokens {
		if ends := t.Expires.Time; !ends.IsZero() && (soonest.Expires.IsZero() || ends.Before(soonest.Expires.Time)) && (a.TokenName != "" || ends.After(p.now())) {
			soonest = t // one of unknown name that has ended is not the one that works
		}
	}
	if !soonest.Expires.IsZero() {
		how := "Make a new API token in cPanel (Security, Manage API Tokens), since the end of one cannot be changed, and give it to Keepwatch in place of the old one."
		if a.WHM != "" {
			how = "Make a new API token in WHM (Development, Manage API Tokens) and give it to Keepwatch in place of the old one."
		}
		all = append(all, keepwatch.Expiring{Name: "API token " + string(soonest.Name), At: soonest.Expires.Time, How: how})
	}
	// A pinned one that has ended works on, so that nothing is to be done about it.
	if at, _, ok := h.lastCertificate(); ok && (a.Fingerprint == "" || at.After(p.now())) {
		how := "The host renews the certificate of its own services; ask it, where it does not."
		if a.Fingerprint != "" {
			how += " Its new fingerprint then has to be written into keepwatch.yaml, or nothing is sent to the host."
		}
		all = append(all, keepwatch.Expiring{Name: "certificate of " + hostOf(a), At: at, How: how})
	}
	sites, err := siteCertificates(ctx, h)
	if err != nil {
		return nil, err
	}
	return append(all, sites...), nil
}

// hostOf names the host of an account.
func hostOf(a keepwatch.Hosting) string {
	if u, err := url.Parse(a.URL); err == nil && u.Host != "" {
		return u.Host
	}
	return a.URL
}

// siteCertificates gives the certificates of the account's domains but those that
// AutoSSL renews and those that nobody trusts anyhow (UAPI SSL::installed_hosts).
func siteCertificates(ctx context.Context, h host) ([]keepwatch.Expiring, error) {
	var installed list[struct {
		Server      text `json:"servername"`
		Certificate struct {
			NotAfter   stamp      `json:"not_after"`
			SelfSigned flag       `json:"is_self_signed"`
			AutoSSL    flag       `json:"is_autossl"`
			Domains    list[text] `json:"domains"`
		} `json:"certificate"`
	}]
	if err := h.uapi(ctx, "SSL", "installed_hosts", nil, &installed); err != nil {
		if refusedCall(err) {
			return nil, nil
		}
		return nil, err
	}
	var all []keepwatch.Expiring
	for _, s := range installed {
		c := s.Certificate
		if c.NotAfter.IsZero() || bool(c.SelfSigned) || bool(c.AutoSSL) {
			continue
		}
		name := string(s.Server)
		if name == "" && len(c.Domains) > 0 {
			name = string(c.Domains[0])
		}
		e := keepwatch.Expiring{Name: "certificate of " + name, At: c.NotAfter.Time, How: "Order or renew it, and install it in cPanel (Security, SSL/TLS)."}
		if !slices.Contains(all, e) {
			all = append(all, e)
		}
	}
	return all, nil
}

// lacks says what the account may not do that its backups need: full ones, or those of
// parts, which only read.
func lacks(a keepwatch.Hosting, u user, v version, tokens []token, full bool) []string {
	var all []string
	if err := allowed(u); err != nil {
		all = append(all, keepwatch.Sentence(err))
	}
	if full && len(tokens) > 0 && !slices.ContainsFunc(tokens, func(t token) bool { return !bool(t.ReadOnly) }) {
		all = append(all, fmt.Sprintf("The API token %s may only read, so that no full backup can be asked for. Make one that may write (cPanel: Security, Manage API Tokens).", tokens[0].Name))
	}
	if full && len(v) > 0 && !v.atLeast(fullSince) {
		all = append(all, fmt.Sprintf("The host runs cPanel %v, which cannot be asked for a full backup; from cPanel %d on it can.", v, fullSince))
	}
	if a.TokenName != "" && !a.Token.IsZero() && tokens != nil && len(tokens) == 0 {
		all = append(all, "The host has no API token of the name "+a.TokenName+", so that its end is not known. Correct token_name: in keepwatch.yaml.")
	}
	return all
}
