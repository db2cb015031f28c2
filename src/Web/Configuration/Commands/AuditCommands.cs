using System.Globalization;
using FailoverHub.Web.History;
using FailoverHub.Web.History.Checkpoints;

namespace FailoverHub.Web.Configuration.Commands;

/// <summary>What `failoverhub audit …` does. Checking a file needs neither data folder nor hub.</summary>
internal static class AuditCommands
{
    /// <summary>Exit code of a check that found something.</summary>
    public const int NotIntact = 2;

    public static Task<int> ExportAsync(HubOptions options, string file, TextWriter output, TextWriter error, CancellationToken cancellationToken) =>
        HubCommands.WithServicesAsync(options, error, async services =>
        {
            ChainExport export = services.GetRequiredService<ChainExport>();
            AuditVerification written;
            try
            {
                await using Stream target = file == "-"
                    ? Console.OpenStandardOutput()
                    : new FileStream(file, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
                await using var buffered = new BufferedStream(target, 64 * 1024);
                written = await export.WriteAsync(buffered, cancellationToken);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                await error.WriteLineAsync($"failoverhub: '{file}' cannot be written ({e.Message}). Name a file that does not exist yet, in a folder that you may write to.");
                return 1;
            }

            if (!written.Intact)
            {
                await TellProblemsAsync(written, error);
                return NotIntact;
            }

            if (file != "-")
            {
                await output.WriteLineAsync($"{written.Entries} entries and {written.Checkpoints} checkpoints written to {file}. Keep it, and the public key of `failoverhub audit key`, where the hub cannot change them.");
            }

            return 0;
        }, cancellationToken);

    public static Task<int> KeyAsync(HubOptions options, TextWriter output, TextWriter error, CancellationToken cancellationToken) =>
        HubCommands.WithServicesAsync(options, error, async services =>
        {
            await output.WriteLineAsync(services.GetRequiredService<AuditKey>().PublicPem);
            return 0;
        }, cancellationToken);

    public static Task<int> CheckpointAsync(HubOptions options, TextWriter output, TextWriter error, CancellationToken cancellationToken) =>
        HubCommands.WithServicesAsync(options, error, async services =>
        {
            CheckpointOutcome outcome = await services.GetRequiredService<AuditCheckpoints>().MakeForAsync(HubCommands.Actor, null, cancellationToken);
            if (outcome.Made is not { } made)
            {
                await error.WriteLineAsync($"failoverhub: the audit is not intact, so it was not signed. {outcome.Broken?.Text}");
                return NotIntact;
            }

            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"Entry {made.EntryId} ({made.EntryHash}) is signed by key {made.KeyId}."));
            return 0;
        }, cancellationToken);

    public static async Task<int> VerifyAsync(string file, string[] keys, string[] earlier, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var streams = new List<Stream>();
        try
        {
            HashSet<string>? trusted = keys.Length == 0 ? null : new(StringComparer.Ordinal);
            foreach (string key in keys)
            {
                if (AuditKey.IdOfPublicPem(await File.ReadAllTextAsync(key, cancellationToken)) is not { } id)
                {
                    await error.WriteLineAsync($"failoverhub: '{key}' is no P-256 public key (PEM). `failoverhub audit key` prints the hub's.");
                    return 1;
                }

                trusted!.Add(id);
            }

            streams.AddRange([.. earlier.Append(file).Select(Open)]);
            ChainFileResult found = await ChainFileCheck.CheckAsync(streams[^1], trusted, streams[..^1], cancellationToken);
            if (found.Result is { } result)
            {
                await TellAsync(result, trusted is not null, output, error);
                return result.Intact ? 0 : NotIntact;
            }

            await error.WriteLineAsync($"failoverhub: {found.NotAnExport}");
            return 1;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync($"failoverhub: it could not be checked ({e.Message}).");
            return 1;
        }
        finally
        {
            streams.ForEach(s => s.Dispose());
        }
    }

    private static Stream Open(string file) => new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 64 * 1024, useAsync: false);

    private static async Task TellAsync(AuditVerification result, bool keyIsGiven, TextWriter output, TextWriter error)
    {
        if (!result.Intact)
        {
            await TellProblemsAsync(result, error);
            return;
        }

        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"Intact: {result.Entries} entries, {result.Checkpoints} checkpoints, head {result.HeadHash}."));
        await output.WriteLineAsync(result.LastCheckpoint is { } last
            ? string.Create(CultureInfo.InvariantCulture, $"Signed up to entry {last.EntryId} at {last.At.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'} by key {last.KeyId}.")
            : "Nothing in it is signed: whoever wrote the file can have written all of it.");
        if (!keyIsGiven && result.LastCheckpoint is not null)
        {
            await output.WriteLineAsync("The file itself brought that key. Compare it with the one that you kept, or give that with --key.");
        }
    }

    private static async Task TellProblemsAsync(AuditVerification result, TextWriter error)
    {
        await error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"NOT INTACT: {result.ProblemCount} problems in {result.Entries} entries and {result.Checkpoints} checkpoints."));
        foreach (AuditProblem problem in result.Problems)
        {
            await error.WriteLineAsync($"  {problem.Text}");
        }

        if (result.ProblemCount > result.Problems.Length)
        {
            await error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"  … and {result.ProblemCount - result.Problems.Length} more."));
        }
    }
}
