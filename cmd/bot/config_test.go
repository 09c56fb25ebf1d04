package main

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

func readText(t *testing.T, text string) (config, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("keepwatch.yaml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"CPANEL_RUTHIN_TOKEN": "s3cret: [not yaml", "USER": "alis", "CPANEL_RUTHIN_PASSWORD": "s3cret", "CPANEL_RUTHIN_OTP": "jbsw y3dp-ehpk3pxp", "EMPTY": "", "BAD_OTP": "s3cret0189",
		"WHM_TOKEN": "s3cret", "SCP_PASSPHRASE": "s3cret", "CPANEL_CORWEN_TOKEN": "s3cret", "CPANEL_DENBIGH_TOKEN": "s3cret", "FTP_PASSWORD": "s3cret", "LINES": "s3cret\ns3cret"}
	return readConfig("keepwatch.yaml", true, "", func(n string) (string, bool) { v, ok := env[n]; return v, ok })
}

// design is the example of the design, with the keys for files added.
const design = `timezone: Europe/London
people:
  - name: Alis
    slack: U0123
    discord: "445566"
    role: admin
    devices:
      - {name: "Alis iPhone", platform: ios, account: icloud, recheck: 30d, global_admin: true}
      - {name: "Alis spare", platform: android, account: microsoft, recheck: 90d}
channels:
  default: slack:C0OPS
  escalation: discord:998877
sources:
  - name: ruthin-web
    kind: cpanel
    url: https://web1.example.net:2083
    user: ruthin
    token: ${CPANEL_RUTHIN_TOKEN}
    rotation: {keeps: 2, max_age: 28d}     # what the host says that it keeps
    schedule: "0 3 * * *"
  - {name: alis-mail, kind: outlook, mailbox: alis@contoso.example, parts: [mail, contacts, calendar], formats: [eml, pst], schedule: "30 2 * * SUN"}
  - {name: pst-drop, kind: files, path: /srv/pst-drop, drop: true, settle: 90s, exclude: ["*.tmp"]}
vault:
  dir: data/vault
  recipients: []           # empty: the bot's own key
  keep: {last: 2, daily: 7, weekly: 4, monthly: 12, within: 1y5m7d2h}
  copies: []               # rclone remotes
`

func TestConfigOfTheDesign(t *testing.T) {
	c, err := readText(t, design)
	if err != nil {
		t.Fatal(err)
	}
	dir, _ := os.Getwd()
	day := 24 * time.Hour
	if c.Location.String() != "Europe/London" || c.Vault.Dir != filepath.Join(dir, "data/vault") || c.Channels["escalation"] != "discord:998877" {
		t.Errorf("%+v", c)
	}
	wantPeople := []keepwatch.Person{{Name: "Alis", Role: keepwatch.RoleAdmin, Accounts: map[string]string{"slack": "U0123", "discord": "445566"}, Devices: []keepwatch.Device{
		{Name: "Alis iPhone", Platform: "ios", Account: "icloud", Recheck: 30 * day, GlobalAdmin: true}, {Name: "Alis spare", Platform: "android", Account: "microsoft", Recheck: 90 * day}}}}
	if d := cmp.Diff(wantPeople, c.People); d != "" {
		t.Error(d)
	}
	wantSources := []keepwatch.Source{
		{Name: "ruthin-web", Kind: keepwatch.KindCPanel, Hosting: &keepwatch.Hosting{URL: "https://web1.example.net:2083", User: "ruthin", Token: keepwatch.NewSecret("s3cret: [not yaml")}, Rotation: keepwatch.Rotation{Keeps: 2, MaxAge: 28 * day}, Schedule: "0 3 * * *"},
		{Name: "alis-mail", Kind: keepwatch.KindOutlook, Mailbox: "alis@contoso.example", Parts: []string{"mail", "contacts", "calendar"}, Formats: []string{"eml", "pst"}, Schedule: "30 2 * * SUN"},
		{Name: "pst-drop", Kind: keepwatch.KindFiles, Path: "/srv/pst-drop", Drop: true, Settle: 90 * time.Second, Exclude: []string{"*.tmp"}},
	}
	if d := cmp.Diff(wantSources, c.Sources); d != "" {
		t.Error(d)
	}
	want := keepwatch.Keep{Last: 2, Daily: 7, Weekly: 4, Monthly: 12, Within: keepwatch.Span{Years: 1, Months: 5, Days: 7, Hours: 2}}
	if c.Vault.Keep != want {
		t.Errorf("keep %+v", c.Vault.Keep)
	}
}

// TestConfigOfTheGuide: what docs/configuration.md shows is understood as it stands, it
// shows every key that there is, and where nothing can be posted the check says so once.
func TestConfigOfTheGuide(t *testing.T) {
	guide, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(guide), "```yaml\n")
	text, _, found := strings.Cut(text, "```")
	c, err := readText(t, text)
	if err != nil || !found || len(c.Sources) != 7 || len(c.People) != 1 || len(c.People[0].Devices) != 1 {
		t.Fatalf("%+v %v", c, err)
	}
	files, drop, cpanel, outlook := c.Sources[0], c.Sources[1], c.Sources[2], c.Sources[6]
	files.Drop, files.Settle = drop.Drop, drop.Settle
	whm, ftp := c.Sources[3].Hosting, c.Sources[4].Hosting
	cpanel.Parts = c.Sources[5].Parts
	hosting, push := *cpanel.Hosting, *whm.Push
	hosting.WHM, hosting.CA, hosting.Push = whm.WHM, whm.CA, whm.Push
	push.Password, push.Passive = ftp.Push.Password, ftp.Push.Passive
	for name, shown := range map[string]any{
		"hosting": hosting, "push": push, "sftp": *hosting.SFTP,
		"the file": c, "a person": c.People[0], "a device": c.People[0].Devices[0], "hours of a person": c.People[0].Hours, "a group": c.Groups[0],
		"hours": c.Hours["slack:C0OPS"], "hours of a channel by its id": c.Hours["discord:998877"], "custody": c.Custody[0], "a credential": c.Credentials[0], "an emergency account": c.Emergency[0],
		"files": files, "cpanel": cpanel, "outlook": outlook, "rotation": cpanel.Rotation,
	} {
		if lacks := cmp.Diff(leftOut[name], unset(shown)); lacks != "" {
			t.Errorf("the guide shows no example of what %s can say, or of more than is listed here:\n%s", name, lacks)
		}
	}
	if c.Channels["default"] == "" || c.Channels["escalation"] == "" || c.Channels["reports"] == "" || c.Vault.Dir == "" || c.Vault.Keep.Monthly == 0 || c.When["notes"].Cron != "0 3 * * *" {
		t.Errorf("%+v", c)
	}
	c.Vault.Copies = []string{"/no/such/place"}
	s := settings{config: c, env: environment{}, DataDir: t.TempDir()}
	got := probesText(slices.Concat(probeSettings(s), probePlatforms(t.Context(), s, time.Now)))
	for _, want := range []string{"problem copies", "warning channel escalation", "warning channel reports", "warning channel default"} {
		if strings.Count(got, want) != 1 {
			t.Errorf("%q is not there once in\n%s", want, got)
		}
	}
}

// leftOut are the fields of each thing in the guide that no key of it sets.
var leftOut = map[string][]string{
	"the file": {"Plain"},
	"files":    {"AdHoc", "Engine", "Formats", "Hosting", "Mailbox", "Parts", "Rotation"},
	"cpanel":   {"AdHoc", "Drop", "Engine", "Exclude", "Formats", "Mailbox", "Path", "Settle"},
	"outlook":  {"AdHoc", "Drop", "Exclude", "Hosting", "Path", "Rotation", "Schedule", "Settle"},
}

// unset names the fields of a struct that have no value, sorted.
func unset(v any) (names []string) {
	value := reflect.ValueOf(v)
	for i := range value.NumField() {
		if value.Field(i).IsZero() {
			names = append(names, value.Type().Field(i).Name)
		}
	}
	slices.Sort(names)
	return names
}

// TestConfigProblems: each names file, line and what is expected, and all of
// them are told at once.
func TestConfigProblems(t *testing.T) {
	for text, want := range map[string]string{
		"timezone: Atlantis/City\n":                                `keepwatch.yaml:1: timezone is "Atlantis/City"; expected a time zone such as Europe/London.`,
		"soruces: []\n":                                            `keepwatch.yaml:1: soruces is not known. Did you mean "sources"?`,
		"people:\n  - {name: A, role: boss}\n":                     `keepwatch.yaml:2: people[0].role is "boss"; expected viewer, operator or admin.`,
		"people:\n  - {name: A}\n":                                 `keepwatch.yaml:2: people[0] has no role; expected one, such as role: operator.`,
		"people: {name: A}\n":                                      `keepwatch.yaml:1: people must be a list: lines that begin with "- ", or [a, b].`,
		"sources:\n  - {name: Bad Name, kind: files, path: x}\n":   `keepwatch.yaml:2: sources[0].name is "Bad Name"; expected at most 63 of a-z, 0-9, ".", "_" and "-", beginning with a letter or a digit.`,
		"sources:\n  - {name: a, kind: ftp}\n":                     `keepwatch.yaml:2: sources[0].kind is "ftp"; expected files, cpanel or outlook.`,
		"sources:\n  - {name: a, kind: files}\n":                   `keepwatch.yaml:2: sources[0] has no path; expected one, such as path: /srv/files.`,
		"sources:\n  - {name: a, kind: files, path: x, user: u}\n": `keepwatch.yaml:2: sources[0].user does not belong to a source of kind files.`,
		"sources:\n  - {name: a, kind: files, path: x}\n  - {name: a, kind: files, path: y}\n":             `keepwatch.yaml:3: sources[1] is the second source named "a".`,
		"sources:\n  - {name: a, kind: files, path: x, path: y}\n":                                         `keepwatch.yaml:2: sources[0].path is there twice.`,
		"sources:\n  - {name: a, kind: files, path: '${NOT_SET}'}\n":                                       `keepwatch.yaml:2: sources[0].path refers to ${NOT_SET}, which is not set in the environment nor in the .env file.`,
		"sources:\n  - {name: a, kind: files, path: x, schedule: '0 0 30 2 *'}\n":                          `keepwatch.yaml:2: sources[0].schedule is "0 0 30 2 *"; expected a cron expression such as "0 3 * * *", or words such as "every day at 3:00". "0 0 30 2 *" can never come due: there is no such date. Write one that comes, for example "last day of the month 18:00".`,
		"sources:\n  - {name: a, kind: files, path: x, schedule: 'TZ=UTC'}\n":                              `keepwatch.yaml:2: sources[0].schedule is "TZ=UTC"; expected a cron expression such as "0 3 * * *", or words such as "every day at 3:00". A time zone is given beside a cron expression, not within it: write "0 9 * * MON-FRI".`,
		"sources:\n  - {name: a, kind: files, path: x, drop: maybe}\n":                                     `keepwatch.yaml:2: sources[0].drop is "maybe"; expected true or false.`,
		"sources:\n  - {name: a, kind: cpanel, url: 'http://h:2082', user: u, token: t}\n":                 `keepwatch.yaml:2: sources[0].url is "http://h:2082"; expected https://, a host and a port, such as https://web1.example.net:2083.`,
		"vault:\n  keep: {last: two}\n":                                                                    `keepwatch.yaml:2: vault.keep.last is "two"; expected a whole number from -1 up.`,
		"vault:\n  keep: {within: soon}\n":                                                                 `keepwatch.yaml:2: vault.keep.within is "soon"; expected years, months, days and hours, such as 1y5m7d2h or 14d.`,
		"vault:\n  recipients: [ssh-ed25519]\n":                                                            `keepwatch.yaml:2: vault.recipients[0] is wrong. The vault's recipient ssh-ed25519 is no age public key: it does not begin with age1.`,
		"vault:\n  keep:\n\t  last: 2\n":                                                                   `keepwatch.yaml:3: the line begins with a tab; YAML wants blanks there.`,
		"sources: [\n  a: }\n":                                                                             `keepwatch.yaml:2: it is not readable as YAML: did not find expected node content.`,
		"people:\n  - {name: Alis, slack: ${ALIS}, role: admin}\n":                                         `keepwatch.yaml:2: it is not readable as YAML: did not find expected ',' or '}'. Inside {…} a reference goes into quotes: "${NAME}".`,
		"people:\n  - {name: A, role: viewer, devices: [{name: P, platform: ios, account: microsoft}]}\n":  `keepwatch.yaml:2: people[0].devices[0].account is "microsoft", and since September 2025 Authenticator on an iPhone is backed up to iCloud alone; expected icloud or none.`,
		"people:\n  - {name: A, role: viewer, devices: [{name: P, platform: android, account: icloud}]}\n": `keepwatch.yaml:2: people[0].devices[0].account is "icloud", and Authenticator on an Android phone is backed up to a personal Microsoft account alone; expected microsoft or none.`,
		"microsoft: {scope: everything}\n":                                                                 `keepwatch.yaml:1: microsoft.scope is "everything"; expected mailboxes or tenant.`,
		"microsoft: {scopes: tenant}\n":                                                                    `keepwatch.yaml:1: microsoft.scopes is not known. Did you mean "scope"?`,
		"microsoft: tenant\n":                                                                              `keepwatch.yaml:1: microsoft must hold keys and values: scope.`,
		"channels:\n  default: ops\n":                                                                      `keepwatch.yaml:2: channels.default is "ops"; expected a channel such as slack:C0123 or discord:998877.`,
	} {
		_, err := readText(t, text)
		if got := keepwatch.Sentence(err); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
	_, err := readText(t, "timezone: Nowhere\nparallel: 0\nfoo: 1\n")
	if n := len(strings.Split(keepwatch.Sentence(err), "\n")); n != 3 {
		t.Errorf("%d problems are told, not 3: %v", n, err)
	}
	if _, err := readText(t, "a: [1\n"); !strings.HasPrefix(keepwatch.Sentence(err), "keepwatch.yaml:2: it is not readable as YAML") {
		t.Errorf("broken YAML: %v", err)
	}
	if c, err := readText(t, ""); err != nil || len(c.Sources) > 0 {
		t.Errorf("an empty file: %+v %v", c, err)
	}
}

// TestConfigShowsNoSecret: a secret key in the wrong place, and what a reference to
// the environment stands for, are never repeated.
func TestConfigShowsNoSecret(t *testing.T) {
	const secret = "AGE-SECRET-KEY-1QQPQYRQSZPQYRQSZPQYRQSZPQYRQSZPQYRQSZPQYRQSZPQYRQSZSQ5A5GN"
	for _, text := range []string{
		"vault:\n  recipients: [" + secret + "]\n", "vault:\n  recipients: [" + strings.ToLower(secret) + "]\n", "vault:\n  recipients: ['" + secret + " # mine']\n",
		"vault:\n  recipients: ['${CPANEL_RUTHIN_TOKEN}']\n", "timezone: '${CPANEL_RUTHIN_TOKEN}'\n", "timezone: " + secret + "\n", "vault:\n  keep: {last: " + secret + "}\n",
		"sources:\n  - {name: a, kind: files, path: x, schedule: 'at ${CPANEL_RUTHIN_TOKEN}'}\n", secret + ": 1\n", "a: [" + secret + "\n", "a: &" + secret + " x\nb: *" + secret + "\u0001\n",
	} {
		_, err := readText(t, text)
		if err == nil || strings.Contains(strings.ToUpper(err.Error()), secret[:30]) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s\n%v", text, err)
		}
	}
}

func TestRecipientsOfTheConfiguration(t *testing.T) {
	const good = "age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqs3290gq"
	_, err := readText(t, "vault:\n  recipients:\n    - "+good+"\n    - age1bad\n")
	if got := keepwatch.Sentence(err); !strings.HasPrefix(got, "keepwatch.yaml:4: vault.recipients[1] is wrong.") || strings.Contains(got, "\n") {
		t.Errorf("%s", got)
	}
}

func TestReferenceEscape(t *testing.T) {
	c, err := readText(t, "sources:\n  - {name: a, kind: files, path: '/x/$${USER}/${USER}'}\n")
	if err != nil || c.Sources[0].Path != "/x/${USER}/alis" {
		t.Errorf("%+v %v", c.Sources, err)
	}
}
