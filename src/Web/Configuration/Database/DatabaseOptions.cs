using System.CommandLine;

namespace FailoverHub.Web.Configuration;

/// <summary>The two options that say which database; every command that opens it has them.</summary>
internal sealed class DatabaseOptions
{
    public Option<string?> Database { get; } = new("--database")
    {
        HelpName = "sqlite|URL",
        Description = "Where the hub keeps its things: sqlite (the default, in the data folder) or a PostgreSQL database, postgresql://USER@HOST/NAME?sslmode=verify-full. Others can read a command line: leave the password out. (FAILOVERHUB_DATABASE)",
    };

    public Option<string?> PasswordFile { get; } = new("--database-password-file")
    {
        HelpName = "FILE",
        Description = "File with the password of the PostgreSQL role. (FAILOVERHUB_DATABASE_PASSWORD_FILE)",
    };

    /// <summary>What was given of them, beside the others.</summary>
    public HubSettings Into(HubSettings settings, ParseResult parsed) =>
        settings with { Database = parsed.GetValue(Database), DatabasePasswordFile = parsed.GetValue(PasswordFile) };
}
