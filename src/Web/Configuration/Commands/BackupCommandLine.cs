using System.CommandLine;
using FailoverHub.Web.Data.Backup;

namespace FailoverHub.Web.Configuration.Commands;

/// <summary>`failoverhub backup` and `failoverhub restore`. Exit code 0: done; 1: could not, and nothing was changed.</summary>
internal static class BackupCommandLine
{
    public static Command Backup(Option<string?> data, DatabaseOptions database, TextWriter output, TextWriter error)
    {
        var file = new Argument<string>("FILE") { HelpName = "FILE", Description = "A new file, outside of the data folder." };
        var backup = new Command("backup", "Write database, keys and certificates into one file, for its owner only; the hub may run.") { data, file, database.Database, database.PasswordFile };
        backup.SetAction((parsed, cancellationToken) => HubCommandLine.WithDataAsync(parsed, data, database, error, options => WriteAsync(
            options, parsed.GetRequiredValue(file), output, error, cancellationToken)));
        return backup;
    }

    public static Command Restore(Option<string?> data, DatabaseOptions database, TextWriter output, TextWriter error)
    {
        var file = new Argument<string>("FILE") { HelpName = "FILE", Description = "What `failoverhub backup` wrote." };
        var revoke = new Option<bool>("--revoke-tokens") { Description = "Revoke every API token at the first start: those that were revoked after the backup would be good again." };
        var restore = new Command("restore", "Put a backup into a new data folder, which must not exist or be empty, and with PostgreSQL into a database without tables. The backup is checked first. At the first start every browser is signed out.") { data, file, database.Database, database.PasswordFile, revoke };
        restore.SetAction((parsed, cancellationToken) => HubCommandLine.WithDataAsync(parsed, data, database, error, options => RestoreAsync(
            options, parsed.GetRequiredValue(file), parsed.GetValue(revoke), output, error, cancellationToken)));
        return restore;
    }

    private static Task<int> WriteAsync(HubOptions options, string file, TextWriter output, TextWriter error, CancellationToken cancellationToken) =>
        HubCommands.WithServicesAsync(options, error, services => SayWhyNotAsync(error, async () =>
        {
            BackupManifest made = await services.GetRequiredService<HubBackup>().WriteAsync(file, HubCommands.Actor, cancellationToken);
            await output.WriteLineAsync($"{made.Files.Count} files, {made.Files.Sum(f => f.Size) / 1024} KiB, written to {file}. It holds the hub's keys: keep it as safe as the hub.");
        }), cancellationToken);

    private static Task<int> RestoreAsync(HubOptions options, string file, bool revokeTokens, TextWriter output, TextWriter error, CancellationToken cancellationToken) =>
        SayWhyNotAsync(error, async () =>
        {
            (BackupManifest restored, IReadOnlyList<string> tokens) = await HubRestore.RestoreAsync(
                new RestoreOrder(file, options.DataDirectory, options.Database, HubCommands.Actor.Name, TimeProvider.System.GetUtcNow(), revokeTokens), cancellationToken);
            await output.WriteLineAsync($"The backup of {restored.CreatedAt.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'} is in {options.DataDirectory}{(options.Database.IsPostgres ? $" and the {options.Database}" : "")}. Start the hub on it; agents come back by themselves.");
            string ofTokens = tokens.Count == 0 ? "" : revokeTokens ? " Every API token is revoked." : $" API tokens are as they were then: {string.Join(", ", tokens)}. Revoke what should not be good, or restore with --revoke-tokens.";
            await output.WriteLineAsync($"Warning: what was taken from somebody after the backup is given back by it. At the first start every browser is signed out, and unused sign-in links and join tokens are withdrawn.{ofTokens} Look also at users and nodes: a lock, a new password or a revoked certificate of later is not in it.");
        });

    private static async Task<int> SayWhyNotAsync(TextWriter error, Func<Task> act)
    {
        try
        {
            await act();
            return 0;
        }
        catch (BackupException exception)
        {
            await error.WriteLineAsync($"failoverhub: {exception.Message}");
            return 1;
        }
    }
}
