using System.CommandLine;
using FailoverHub.Web.Data;
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
        var restore = new Command("restore", "Put a backup into a new data folder, which must not exist or be empty. The backup is checked first.") { data, file };
        restore.SetAction((parsed, cancellationToken) => HubCommandLine.WithDataAsync(parsed, data, database, error, options => RestoreAsync(
            options, parsed.GetRequiredValue(file), output, error, cancellationToken)));
        return restore;
    }

    private static Task<int> WriteAsync(HubOptions options, string file, TextWriter output, TextWriter error, CancellationToken cancellationToken) =>
        HubCommands.WithServicesAsync(options, error, services => SayWhyNotAsync(error, async () =>
        {
            BackupManifest made = await services.GetRequiredService<HubBackup>().WriteAsync(file, HubCommands.Actor, cancellationToken);
            await output.WriteLineAsync($"{made.Files.Count} files, {made.Files.Sum(f => f.Size) / 1024} KiB, written to {file}. It holds the hub's keys: keep it as safe as the hub.");
        }), cancellationToken);

    private static Task<int> RestoreAsync(HubOptions options, string file, TextWriter output, TextWriter error, CancellationToken cancellationToken) =>
        SayWhyNotAsync(error, async () =>
        {
            BackupManifest restored = await HubRestore.RestoreAsync(
                file, options.DataDirectory, HubDatabase.KnownMigrations(), HubCommands.Actor.Name, TimeProvider.System.GetUtcNow(), cancellationToken);
            await output.WriteLineAsync($"The backup of {restored.CreatedAt.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'} is in {options.DataDirectory}. Start the hub on it; agents come back by themselves.");
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
