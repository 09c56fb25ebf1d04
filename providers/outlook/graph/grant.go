package graph

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
)

// ErrOpaque: the access token does not say what is in it.
var ErrOpaque = errors.New("the access token cannot be read")

// Grant is what an access token says of the application.
type Grant struct {
	// Roles are the application permissions that an administrator has consented to in
	// Entra, sorted. Those of RBAC for Applications in Exchange Online are not in it.
	Roles []string
	// Object is the id of the application's service principal ("Enterprise applications"),
	// which Exchange Online asks for; it is another than that of the app registration.
	Object string
	Tenant string // its id
}

// Grant signs in anew, so that a consent of a moment ago is in the token, and reads it
// (learn.microsoft.com/entra/identity-platform/access-token-claims-reference: roles, oid,
// tid). Microsoft promises nobody but Graph that these tokens can be read: ErrOpaque
// where this one cannot.
func (c *Client) Grant(ctx context.Context) (Grant, error) {
	held, _ := c.tokens.kept("")
	token, err := c.tokens.get(ctx, held)
	if err != nil {
		return Grant{}, c.say("", err)
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return Grant{}, ErrOpaque
	}
	var claims struct {
		Roles  []string `json:"roles"`
		Object string   `json:"oid"`
		Tenant string   `json:"tid"`
	}
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil || json.Unmarshal(data, &claims) != nil {
		return Grant{}, ErrOpaque
	}
	slices.Sort(claims.Roles)
	return Grant{Roles: slices.Compact(claims.Roles), Object: claims.Object, Tenant: claims.Tenant}, nil
}

// CertificateEnds is when the configured certificate runs out, by what it says of itself;
// the zero time where the application signs in with a secret.
func (c *Client) CertificateEnds() time.Time { return c.tokens.ends }
