package cpaneltest

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// accountFunctions are those of UAPI that say how an account and its host are.
func accountFunctions() map[string]function {
	return map[string]function{
		"Quota::get_quota_info":             {since: 56, do: quotaInfo},
		"Quota::get_local_quota_info":       {since: 88, do: localQuota},
		"Mysql::list_databases":             {since: 82, feature: "mysql", do: mysqlList},
		"Mysql::get_server_information":     {since: 54, feature: "mysql", do: mysqlServer},
		"Postgresql::list_databases":        {since: 84, feature: "postgres", do: postgresList},
		"Email::list_forwarders":            {since: 42, feature: "forwarders", do: forwarderList},
		"Email::list_forwarders_backups":    {since: 42, feature: "backup", do: mailBackups},
		"Email::list_filters_backups":       {since: 42, feature: "backup", do: mailBackups},
		"DomainInfo::list_domains":          {since: 42, do: domainList},
		"Tokens::list":                      {since: 80, feature: "apitokens", do: tokenList},
		"Tokens::create_full_access":        {since: 80, feature: "apitokens", writes: true, do: tokenCreate},
		"Tokens::revoke":                    {since: 80, feature: "apitokens", writes: true, do: tokenRevoke},
		"Variables::get_user_information":   {since: 86, do: userInformation},
		"Variables::get_server_information": {since: 86, do: serverInformation},
		"StatsBar::get_stats":               {since: 42, do: statsBar},
		"Features::has_feature":             {since: 42, do: hasFeature},
		"Features::list_features":           {since: 42, do: featureList},
		"SSL::installed_hosts":              {since: 42, do: installedHosts},
	}
}

// quotaInfo is Quota::get_quota_info. A limit of 0.00 is none.
func quotaInfo(q *request) (any, error) {
	used := q.a.used()
	out := map[string]any{
		"megabyte_limit": megabytes(q.a.limit), "megabytes_used": megabytes(used), "megabytes_remain": megabytes(max(q.a.limit-used, 0)),
		"inode_limit": 0, "inodes_used": len(q.a.home), "inodes_remain": 0, "under_megabyte_limit": flagOf(q.a.limit == 0 || used < q.a.limit), "under_inode_limit": 1,
	}
	out["under_quota_overall"] = out["under_megabyte_limit"]
	return out, nil
}

func localQuota(q *request) (any, error) {
	return map[string]any{"byte_limit": q.a.limit, "bytes_used": q.a.used(), "inode_limit": 0, "inodes_used": len(q.a.home)}, nil
}

func mysqlList(q *request) (any, error) {
	all := []any{}
	for _, name := range slices.Sorted(maps.Keys(q.a.databases)) {
		all = append(all, map[string]any{"database": name, "disk_usage": len(q.a.databases[name].body), "users": []string{name}})
	}
	return all, nil
}

func mysqlServer(*request) (any, error) {
	return map[string]any{"host": "localhost", "is_remote": 0, "version": "8.0.39"}, nil
}

func postgresList(q *request) (any, error) {
	all := []any{}
	for _, name := range q.a.postgres {
		all = append(all, map[string]any{"database": name, "disk_usage": 0, "users": []string{}})
	}
	return all, nil
}

func forwarderList(q *request) (any, error) {
	domain, err := q.need("domain")
	if err != nil {
		return nil, err
	}
	all := []any{}
	for _, line := range q.a.forwarders[domain] {
		from, to, _ := strings.Cut(line, ": ")
		all = append(all, map[string]any{"dest": from, "forward": to})
	}
	return all, nil
}

// mailBackups says of which domains there are downloads.
func mailBackups(q *request) (any, error) {
	all := []any{}
	for _, domain := range q.a.domains {
		all = append(all, map[string]any{"domain": domain})
	}
	return all, nil
}

func domainList(q *request) (any, error) {
	return map[string]any{"main_domain": q.a.domains[0], "addon_domains": q.a.domains[1:], "parked_domains": []string{}, "sub_domains": []string{}}, nil
}

// tokenList is Tokens::list: those that have run out are still there.
func tokenList(q *request) (any, error) {
	all := []any{}
	var found []*token
	for _, t := range q.a.tokens {
		found = append(found, t)
	}
	slices.SortFunc(found, func(a, b *token) int { return strings.Compare(a.name, b.name) })
	for _, t := range found {
		var end any
		if !t.expires.IsZero() {
			end = t.expires.Unix()
		}
		item := map[string]any{"name": t.name, "create_time": t.made.Unix(), "expires_at": end, "features": []string{}, "has_full_access": 1}
		if q.h.major() >= 137 { // in the document of 11.137.9999, not on the page of 11.136.0.4
			item["readonly"] = flagOf(t.readonly)
		}
		all = append(all, item)
	}
	return all, nil
}

func tokenCreate(q *request) (any, error) {
	name, err := q.need("name")
	if err != nil {
		return nil, err
	}
	var end time.Time
	if text := q.params.Get("expires_at"); text != "" {
		n, ok := integer(text)
		if !ok {
			return nil, refuse("The expiration time “%s” is not valid.", text)
		}
		end = time.Unix(n, 0)
	}
	return map[string]any{"token": q.a.newToken(name, end, q.params.Get("readonly") == "1"), "create_time": q.h.Now().Unix()}, nil
}

func tokenRevoke(q *request) (any, error) {
	for text, t := range q.a.tokens {
		if t.name == q.params.Get("name") {
			delete(q.a.tokens, text)
		}
	}
	return 1, nil
}

func userInformation(q *request) (any, error) {
	a := q.a
	all := map[string]any{
		"home": "/home/" + a.user, "user": a.user, "domain": a.domains[0], "domains": a.domains, "plan": "default", "owner": "root", "theme": "jupiter",
		"backup_enabled": flagOf(len(a.managed) > 0), "legacy_backup_enabled": 0, "contact_email": "", "feature": a.featureMap(), "created_in_version": "11.110.0.30",
		"demo_mode": flagOf(a.demo), "shell": "/usr/local/cpanel/bin/jailshell", "uid": 1001,
	}
	return only(all, q), nil
}

func serverInformation(q *request) (any, error) {
	return only(map[string]any{
		"version": q.h.version, "mysql_version": "8.0.39", "ftp_server": "pure-ftpd", "file_upload_maximum_bytes": 0, "file_upload_must_leave_bytes": 5 << 20,
		"os_distribution": "almalinux", "perl_version": "5.036000",
	}, q), nil
}

// only keeps what a call has asked for by name, name-1 …, and everything where it has
// asked for nothing.
func only(all map[string]any, q *request) map[string]any {
	out := map[string]any{}
	for param, values := range q.params {
		if param == "name" || strings.HasPrefix(param, "name-") {
			if v, ok := all[values[0]]; ok {
				out[values[0]] = v
			}
		}
	}
	if len(out) == 0 {
		return all
	}
	return out
}

func (a *Account) featureMap() map[string]any {
	out := map[string]any{}
	for _, name := range []string{"backup", "backupwizard", "filemanager", "mysql", "postgres", "apitokens", "forwarders", "filters", "sslinstall", "ftpaccts"} {
		out[name] = flagOf(a.feature(name))
	}
	for name, on := range a.features {
		out[name] = flagOf(on)
	}
	return out
}

func statsBar(q *request) (any, error) {
	limit := any(q.a.limit >> 20)
	if q.a.limit == 0 {
		limit = "unlimited"
	}
	return []any{map[string]any{"id": "diskusage", "name": "diskusage", "item": "Disk Usage", "count": q.a.used() >> 20, "max": limit, "units": "MB"}}, nil
}

func hasFeature(q *request) (any, error) {
	name, err := q.need("name")
	if err != nil {
		return nil, err
	}
	if !q.a.feature(name) {
		return nil, withData{refuse("The feature “%s” exists but is not enabled.", name), 0}
	}
	return 1, nil
}

func featureList(q *request) (any, error) { return q.a.featureMap(), nil }

func installedHosts(q *request) (any, error) {
	all := []any{}
	for _, domain := range slices.Sorted(maps.Keys(q.a.certs)) {
		all = append(all, map[string]any{
			"servername": domain, "domains": []string{domain, "www." + domain}, "docroot": "/home/" + q.a.user + "/public_html", "user": q.a.user,
			"certificate": map[string]any{"not_after": q.a.certs[domain].Unix(), "is_self_signed": 0, "is_autossl": 0, "domains": []string{domain, "www." + domain}, "id": domain},
		})
	}
	return all, nil
}

// integer reads a number.
func integer(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}
