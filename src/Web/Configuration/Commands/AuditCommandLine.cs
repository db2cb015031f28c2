using System.CommandLine;

namespace FailoverHub.Web.Configuration.Commands;

/// <summary>`failoverhub audit …`: export, check, sign.</summary>
internal static class AuditCommandLine
{
    public static Command Build(Option<string?> data, DatabaseOptions database, TextWriter output, TextWriter error)
    {
        var audit = new Command("audit", "The record of who did what: export it, check an export, sign it.");

        var target = new Argument<string>("FILE") { HelpName = "FILE", Description = "A new file. '-': standard output." };
        var export = new Command("export", "Write the whole audit with its signed checkpoints as JSON Lines; the hub may run.") { data, target, database.Database, database.PasswordFile };
        export.SetAction((parsed, cancellationToken) => HubCommandLine.WithDataAsync(parsed, data, database, error, options => AuditCommands.ExportAsync(
            options, parsed.GetRequiredValue(target), output, error, cancellationToken)));

        var file = new Argument<string>("FILE") { HelpName = "FILE", Description = "What `failoverhub audit export` or GET /api/v1/audit/chain wrote." };
        var key = new Option<string[]>("--key") { HelpName = "PUBLICKEYFILE", Description = "Public key (PEM) that must have signed, kept since `failoverhub audit key`. Repeat it when the hub's key was replaced." };
        var earlier = new Option<string[]>("--earlier") { HelpName = "FILE", Description = "An export that was made before: what it had signed must still be there. It is what shows that the end was cut off. Repeatable." };
        var verify = new Command("verify", "Check an export by itself, without a hub or a database. Exit code 0: intact; 2: something is wrong, said entry by entry; 1: it could not be checked.") { file, key, earlier };
        verify.SetAction((parsed, cancellationToken) => AuditCommands.VerifyAsync(
            parsed.GetRequiredValue(file), parsed.GetValue(key) ?? [], parsed.GetValue(earlier) ?? [], output, error, cancellationToken));

        var publicKey = new Command("key", "Print the public key that checkpoints are checked with (PEM). Keep it somewhere else than the hub.") { data, database.Database, database.PasswordFile };
        publicKey.SetAction((parsed, cancellationToken) => HubCommandLine.WithDataAsync(parsed, data, database, error, options => AuditCommands.KeyAsync(options, output, error, cancellationToken)));

        var checkpoint = new Command("checkpoint", "Sign the audit's newest entry now; the hub does so each hour by itself.") { data, database.Database, database.PasswordFile };
        checkpoint.SetAction((parsed, cancellationToken) => HubCommandLine.WithDataAsync(parsed, data, database, error, options => AuditCommands.CheckpointAsync(options, output, error, cancellationToken)));

        audit.Add(export);
        audit.Add(verify);
        audit.Add(publicKey);
        audit.Add(checkpoint);
        return audit;
    }
}
