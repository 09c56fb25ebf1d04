package graphtest

// methodTypes are the kinds of method, and the permission that is least for each list.
var methodTypes = map[string]struct{ kind, least string }{
	"microsoftauthenticatormethods":  {"microsoftAuthenticator", "UserAuthMethod-MicrosoftAuthApp.Read.All"},
	"phonemethods":                   {"phone", "UserAuthMethod-Phone.Read.All"},
	"fido2methods":                   {"fido2", "UserAuthMethod-Passkey.Read.All"},
	"softwareoathmethods":            {"softwareOath", "UserAuthMethod-SoftwareOATH.Read.All"},
	"emailmethods":                   {"email", "UserAuthMethod-Email.Read.All"},
	"temporaryaccesspassmethods":     {"temporaryAccessPass", "UserAuthMethod-TAP.Read.All"},
	"windowshelloforbusinessmethods": {"windowsHelloForBusiness", "UserAuthMethod-WindowsHello.Read.All"},
	"platformcredentialmethods":      {"platformCredential", "UserAuthMethod-PlatformCred.Read.All"},
	"passwordmethods":                {"password", "UserAuthMethod-Password.Read.All"},
}

// methods lists how somebody can sign in, all or those of a kind.
func (c *call) methods(segment string) answer {
	only, known := methodTypes[segment]
	if segment != "methods" && !known {
		return c.noSegment(segment)
	}
	if no, ok := c.allowed("UserAuthenticationMethod.Read.All", "UserAuthenticationMethod.ReadWrite.All", only.least); !ok {
		return no
	}
	shape := "authenticationMethod"
	if known {
		shape = only.kind + "AuthenticationMethod"
	}
	var all []map[string]any
	for _, m := range c.n.dir.methods[c.user.ID] {
		if known && m.Kind != only.kind {
			continue
		}
		v := m.render()
		if !known {
			v["@odata.type"] = "#microsoft.graph." + m.Kind + "AuthenticationMethod"
		}
		all = append(all, v)
	}
	return c.objects(shape, all)
}

func (m Method) render() map[string]any {
	v := map[string]any{"id": m.ID, "createdDateTime": dated(m.Created)}
	add := func(pairs ...string) {
		for i := 0; i < len(pairs); i += 2 {
			v[pairs[i]] = orNull(pairs[i+1])
		}
	}
	switch m.Kind {
	case "microsoftAuthenticator":
		add("displayName", m.Name, "deviceTag", m.Tag, "phoneAppVersion", m.Version)
	case "phone":
		add("phoneNumber", m.Name, "phoneType", "mobile", "smsSignInState", "notConfigured")
	case "fido2":
		add("displayName", m.Name, "model", m.Model, "aaGuid", m.AAGUID, "attestationLevel", "attested", "passkeyType", "deviceBound")
		v["attestationCertificates"] = []any{}
	case "email":
		add("emailAddress", m.Name)
	case "password":
		add("password", "")
	case "softwareOath":
		add("secretKey", "")
	case "temporaryAccessPass":
		add("temporaryAccessPass", "", "methodUsabilityReason", "EnabledByPolicy")
		v["isUsable"], v["isUsableOnce"], v["lifetimeInMinutes"] = true, false, 60
	case "windowsHelloForBusiness":
		add("displayName", m.Name, "keyStrength", "normal")
	case "platformCredential":
		add("displayName", m.Name, "keyStrength", "normal", "platform", "macOS")
	}
	return v
}

// registrations is the report of registrations, for tenants with Entra ID P1.
func (c *call) registrations() answer {
	if f := c.few(); f != nil {
		return answer{fail: f}
	}
	if no, ok := c.allowed("AuditLog.Read.All"); !ok {
		return no
	}
	if !c.n.dir.premium {
		return fail(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "Neither tenant is B2C or tenant doesn't have premium license")
	}
	var all []map[string]any
	for _, row := range c.n.dir.report {
		switch c.q.filter {
		case "":
		case "isAdmin eq true":
			if row["isAdmin"] != true {
				continue
			}
		default:
			return fail(400, "BadRequest", "Invalid filter clause: %s", c.q.filter)
		}
		all = append(all, row)
	}
	return c.objects("userRegistrationDetails", all)
}

// synced is null for somebody who was made in the cloud.
func (c *call) synced(u *User) any {
	if c.n.dir.onPrem[u.ID] {
		return true
	}
	return nil
}

// beyondBasic hides a property of somebody from whoever may read only the basics.
func (c *call) beyondBasic(v any) any {
	if _, ok := c.allowed("User.Read.All", "User.ReadWrite.All", "Directory.Read.All"); !ok {
		return nil
	}
	return v
}
