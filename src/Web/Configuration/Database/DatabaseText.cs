using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using FailoverHub.Web.Data;
using Npgsql;

namespace FailoverHub.Web.Configuration;

/// <summary>
/// Reads <c>--database</c>: <c>sqlite</c>, a URL as PostgreSQL's own tools write it, or keywords as Npgsql does
/// (<c>Host=db;Database=failoverhub;Username=failoverhub</c>). No sentence that it makes has what was written, for a password may be in it.
/// </summary>
internal static class DatabaseText
{
    private const string Sqlite = "sqlite";

    // What libpq calls them, and Npgsql.
    private static readonly Dictionary<string, string> UrlKeywords = new(StringComparer.OrdinalIgnoreCase)
    {
        ["sslmode"] = "SSL Mode",
        ["sslrootcert"] = "Root Certificate",
        ["sslcert"] = "SSL Certificate",
        ["sslkey"] = "SSL Key",
        ["connect_timeout"] = "Timeout",
        ["application_name"] = "Application Name",
        ["host"] = "Host",
    };

    /// <summary>Makes a setting out of the text and of the file that holds the password, if there is one.</summary>
    /// <param name="text">Null: SQLite.</param>
    /// <param name="passwordFile">The password is its content without one line end; null: there is none, or it is in the text, or in what Npgsql reads by itself (PGPASSWORD, PGPASSFILE).</param>
    /// <param name="setting">What to use.</param>
    /// <param name="problem">Otherwise: what is wrong, without the key and without what was written.</param>
    public static bool TryParse(string? text, string? passwordFile, [NotNullWhen(true)] out DatabaseSetting? setting, [NotNullWhen(false)] out string? problem)
    {
        setting = null;
        NpgsqlConnectionStringBuilder? server = null;
        if (text is null || text.Trim().Equals(Sqlite, StringComparison.OrdinalIgnoreCase))
        {
            problem = passwordFile is null ? null : "a password file goes with a PostgreSQL database. Name that, or leave the file out";
        }
        else
        {
            problem = Read(text.Trim(), out server) ?? WhatIsMissing(server!) ?? ReadPassword(passwordFile, server!);
        }

        if (problem is null)
        {
            setting = server is null ? DatabaseSetting.InDataFolder : DatabaseSetting.Postgres(server);
        }

        return problem is null;
    }

    private static string? Read(string text, out NpgsqlConnectionStringBuilder? server)
    {
        server = null;
        try
        {
            server = IsUrl(text) ? FromUrl(new Uri(text)) : new NpgsqlConnectionStringBuilder(text);
            if (string.IsNullOrEmpty(server.ApplicationName))
            {
                server.ApplicationName = "failoverhub";
            }

            // Npgsql's builder says of every keyword that it has it; its text has only what was given.
            if (!new DbConnectionStringBuilder { ConnectionString = server.ConnectionString }.ContainsKey("Timeout"))
            {
                // Seconds. Whoever waits for a page or for readiness does not wait longer than this for a server that is away.
                server.Timeout = 5;
            }

            return null;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidCastException or NotSupportedException or KeyNotFoundException)
        {
            return "is neither 'sqlite' nor a connection to PostgreSQL. Write for example postgresql://failoverhub@db.example.org/failoverhub?sslmode=verify-full, or Host=db.example.org;Database=failoverhub;Username=failoverhub;SSL Mode=VerifyFull";
        }
    }

    private static bool IsUrl(string text) =>
        text.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase) || text.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase);

    private static NpgsqlConnectionStringBuilder FromUrl(Uri url)
    {
        var server = new NpgsqlConnectionStringBuilder { Host = Uri.UnescapeDataString(url.Host), Database = Uri.UnescapeDataString(url.AbsolutePath.TrimStart('/')) };
        if (url.Port > 0)
        {
            server.Port = url.Port;
        }

        string[] user = url.UserInfo.Split(':', 2);
        server.Username = NullIfEmpty(Uri.UnescapeDataString(user[0]));
        server.Password = user.Length > 1 ? Uri.UnescapeDataString(user[1]) : null;
        foreach (string[] pair in url.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries).Select(p => p.Split('=', 2)))
        {
            string value = pair.Length > 1 ? Uri.UnescapeDataString(pair[1]) : "";
            server[UrlKeywords[pair[0]]] = pair[0].Equals("sslmode", StringComparison.OrdinalIgnoreCase) ? value.Replace("-", "", StringComparison.Ordinal) : value;
        }

        return server;
    }

    private static string? WhatIsMissing(NpgsqlConnectionStringBuilder server) =>
        string.IsNullOrWhiteSpace(server.Host) ? "names no host. Write Host=… (a folder such as /run/postgresql for a Unix socket)"
        : string.IsNullOrWhiteSpace(server.Database) ? "names no database. Write Database=failoverhub, or the name at the end of the URL"
        : null;

    private static string? ReadPassword(string? file, NpgsqlConnectionStringBuilder server)
    {
        if (file is null)
        {
            return null;
        }

        if (!string.IsNullOrEmpty(server.Password))
        {
            return "has a password, and a password file is named as well. Leave one of them out";
        }

        try
        {
            string password = File.ReadAllText(file);
            server.Password = password.EndsWith("\r\n", StringComparison.Ordinal) ? password[..^2] : password.EndsWith('\n') ? password[..^1] : password;
            return server.Password.Length == 0 ? $"the password file '{file}' is empty. Write the role's password into it" : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return $"the password file '{file}' cannot be read ({e.Message}). Name a file that the hub's user can read";
        }
    }

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}
