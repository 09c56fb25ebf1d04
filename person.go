package keepwatch

import "time"

// Role is what a person may do. Each one may do what those below it may.
type Role uint8

// The roles. An unknown account has RoleNone.
const (
	RoleNone Role = iota
	RoleViewer
	RoleOperator
	RoleAdmin
)

var roleNames = [...]string{"none", "viewer", "operator", "admin"}

func (r Role) String() string {
	if int(r) < len(roleNames) {
		return roleNames[r]
	}
	return "none"
}

// ParseRole reads viewer, operator or admin.
func ParseRole(s string) (Role, bool) {
	for i := RoleViewer; i <= RoleAdmin; i++ {
		if roleNames[i] == s {
			return i, true
		}
	}
	return RoleNone, false
}

// Account is who somebody is on a platform. Name is what the platform shows and
// is never used to decide anything.
type Account struct {
	Platform string `json:"platform"` // "terminal", "slack", "discord"
	ID       string `json:"id"`
	Name     string `json:"name,omitempty"`
}

// ConfigAccount is who asks for what keepwatch.yaml says is to be done at a time.
// No front-end makes one of this platform.
func ConfigAccount() Account { return Account{Platform: "schedule", ID: "keepwatch.yaml"} }

// ConfigPerson is who ConfigAccount belongs to: whoever may write keepwatch.yaml has
// said so there.
func ConfigPerson() Person { return Person{Name: "schedule", Role: RoleOperator} }

// Person is who an account belongs to, from the YAML.
type Person struct {
	Name     string            `json:"name"`
	Role     Role              `json:"role"`
	Accounts map[string]string `json:"accounts,omitempty"` // platform → account id
	Devices  []Device          `json:"devices,omitempty"`
	Hours    Hours             `json:"hours,omitzero"` // when direct messages may disturb
	// Microsoft is the sign-in name in Microsoft 365, "alis@contoso.example"; "": not known.
	Microsoft string `json:"microsoft,omitempty"`
}

// Group gives everybody who is in a group of a platform a role.
type Group struct {
	ID   string // "slack:S0123", a user group; "discord:777", a role
	Role Role
}

// Device is a phone that holds somebody's Microsoft Authenticator.
type Device struct {
	Name        string        `json:"name"`
	Platform    string        `json:"platform"` // "ios" or "android"
	Account     string        `json:"account"`  // where the backup goes: "icloud" or "microsoft"
	Recheck     time.Duration `json:"recheck"`
	GlobalAdmin bool          `json:"global_admin,omitempty"`
}
