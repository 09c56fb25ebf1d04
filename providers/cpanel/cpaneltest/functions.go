package cpaneltest

// functions are those of UAPI, by "Module::function", and of API 2, by
// "2:Module::function", with the versions of the documents.
func functions() map[string]function {
	all := map[string]function{
		"Backup::fullbackup_to_homedir":           {since: 78, feature: "backup", writes: true, do: fullToHome},
		"Backup::fullbackup_to_ftp":               {since: 78, feature: "backup", writes: true, do: push("password")},
		"Backup::fullbackup_to_scp_with_password": {since: 78, feature: "backup", writes: true, do: push("password")},
		"Backup::fullbackup_to_scp_with_key":      {since: 78, feature: "backup", writes: true, do: push("key_name")},
		"Backup::list_backups":                    {since: 42, feature: "backup", do: listManaged},
		"Backup::restore_databases":               {since: 84, feature: "backup", post: true, writes: true, long: true, do: restoreDatabases},
		"Backup::restore_files":                   {since: 86, feature: "backup", post: true, writes: true, long: true, do: restoreFiles},
		"Backup::restore_email_forwarders":        {since: 86, feature: "backup", post: true, writes: true, long: true, do: restoreForwarders},
		"Backup::restore_email_filters":           {since: 86, feature: "backup", post: true, writes: true, long: true, do: restoreFilters},

		"BackupInfo::list":     {since: 136, plugin: true, feature: "backup", do: infoList},
		"BackupInfo::progress": {since: 136, plugin: true, feature: "backup", do: infoProgress},
		"BackupInfo::reset":    {since: 136, plugin: true, feature: "backup", writes: true, do: infoReset},

		"Restore::directory_listing": {since: 68, do: restoreListing},
		"Restore::query_file_info":   {since: 68, do: restoreInfo},
		"Restore::restore_file":      {since: 68, writes: true, do: restoreFile},
		"Restore::get_users":         {since: 72, do: restoreUsers},

		"2:Backups::listfullbackups": {feature: "backup", do: listFull},
		"2:Fileman::fileop":          {feature: "filemanager", writes: true, do: fileop},
	}
	for name, f := range filemanFunctions() {
		all[name] = f
	}
	for name, f := range accountFunctions() {
		all[name] = f
	}
	return all
}
