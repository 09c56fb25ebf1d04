package entra

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// method is an authenticationMethod. Numbers, addresses and keys are not read.
type method struct {
	Type    string     `json:"@odata.type"`
	ID      string     `json:"id"`
	Name    string     `json:"displayName"`
	Version string     `json:"phoneAppVersion"`
	Model   string     `json:"model"`
	AAGUID  string     `json:"aaGuid"`
	Phone   string     `json:"phoneType"`
	Created *time.Time `json:"createdDateTime"`
}

// kinds are the sign-in kinds by type of the metadata.
var kinds = map[string]keepwatch.SignInKind{
	"microsoftAuthenticator": keepwatch.SignInAuthenticator, "fido2": keepwatch.SignInKey, "phone": keepwatch.SignInPhone, "softwareOath": keepwatch.SignInCodes, "hardwareOath": keepwatch.SignInCodes,
	"email": keepwatch.SignInEmail, "temporaryAccessPass": keepwatch.SignInPass, "windowsHelloForBusiness": keepwatch.SignInWindows, "platformCredential": keepwatch.SignInPlatform,
}

// inPhone reports whether a passkey is in Microsoft Authenticator, by the id of its
// model, on an iPhone or on Android
// (learn.microsoft.com/entra/identity/authentication/how-to-enable-authenticator-passkey).
func inPhone(aaguid string) bool {
	return strings.EqualFold(aaguid, "90a3ccdf-635c-4729-a248-9b709135078f") || strings.EqualFold(aaguid, "de1e552d-db1d-4423-a619-566b625cdc84")
}

// read makes a noun of it, and false of a password, which is no second way in.
func (m method) read() (keepwatch.SignInMethod, bool) {
	kind := strings.TrimSuffix(strings.TrimPrefix(m.Type, "#microsoft.graph."), "AuthenticationMethod")
	if kind == "password" {
		return keepwatch.SignInMethod{}, false
	}
	out := keepwatch.SignInMethod{ID: m.ID, Kind: kinds[kind], Device: m.Name, Version: m.Version}
	if m.Created != nil {
		out.Created = *m.Created
	}
	switch {
	case out.Kind == "":
		out.Kind = keepwatch.SignInOther
	case out.Kind == keepwatch.SignInKey && inPhone(m.AAGUID):
		out.Kind = keepwatch.SignInPhonePasskey
	case out.Kind == keepwatch.SignInPhone:
		out.Device = m.Phone // "mobile"; never the number
	}
	if out.Device == "" {
		out.Device = m.Model
	}
	return out, true
}

// methods reads how somebody can sign in: everything, or else Authenticator alone.
func (d *Directory) methods(ctx context.Context, person string, narrow bool) (keepwatch.SignInsSeen, error) {
	seen := keepwatch.SignInsSeen{At: d.cfg.Now().UTC(), Methods: []keepwatch.SignInMethod{}, Whole: !narrow}
	path := "/users/" + url.PathEscape(person) + "/authentication/"
	part := "methods"
	if narrow {
		part = "microsoftAuthenticatorMethods"
	}
	err := list(ctx, d, path+part, func(m method) {
		if narrow {
			m.Type = "microsoftAuthenticator"
		}
		if v, ok := m.read(); ok {
			seen.Methods = append(seen.Methods, v)
		}
	})
	slices.SortFunc(seen.Methods, func(a, b keepwatch.SignInMethod) int { return strings.Compare(a.ID, b.ID) })
	return seen, err
}

// SignIns looks at how people can sign in, by their sign-in names. before is what was
// seen the last time: of whom nothing can be read now, that stays. Compare the two with
// [keepwatch.SignIns.Changes]. After an error the snapshot holds what was read until then.
//
// Graph tells nothing of a backup of Authenticator: a change only says that it is time to
// look.
func (d *Directory) SignIns(ctx context.Context, people []string, before keepwatch.SignIns) (keepwatch.SignIns, []Lack, error) {
	now := keepwatch.SignIns{Version: 1, People: map[string]keepwatch.SignInsSeen{}}
	for _, p := range people {
		if old, ok := before.People[strings.ToLower(p)]; ok {
			now.People[strings.ToLower(p)] = old
		}
	}
	var lacks []Lack
	narrow := false
	for _, p := range people {
		if len(lacks) > 0 && lacks[0].Permission == readAuthenticator {
			break // nobody can be looked at
		}
		seen, err := d.methods(ctx, p, narrow)
		if refused, other := lack(err, readMethods, "How people can sign in beside Microsoft Authenticator"); other == nil && refused != nil && !narrow {
			narrow, lacks = true, append(refused, lacks...)
			seen, err = d.methods(ctx, p, narrow)
		}
		refused, err := lack(err, readAuthenticator, "Whether somebody's Microsoft Authenticator has changed")
		switch {
		case missing(err):
			lacks = append(lacks, Lack{What: "How " + keepwatch.Printable(p) + " can sign in", Why: "Microsoft 365 knows nobody of that name; check it in keepwatch.yaml"})
		case err != nil:
			return now, lacks, fmt.Errorf("read how %s signs in: %w", p, err)
		case refused != nil:
			lacks = refused
		default:
			now.People[strings.ToLower(p)] = seen
		}
	}
	return now, lacks, nil
}
