using System.CommandLine;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Identity;

namespace FailoverHub.Web.Configuration;

/// <summary>`failoverhub join-token …` and `failoverhub authority …`.</summary>
internal static class JoinCommands
{
    public static Command JoinToken(Option<string?> data, DatabaseOptions database, TextWriter output, TextWriter error)
    {
        var node = new Option<string?>("--node") { HelpName = "NAME", Description = "The only name that it is good for. Default: any that is free." };
        var existing = new Option<bool>("--for-existing") { Description = "To give a node that there is already a new certificate; needs --node." };
        var minutes = new Option<int>("--minutes") { HelpName = "MINUTES", Description = "Good for so many minutes, 1 to 1440. Default 15.", DefaultValueFactory = _ => (int)JoinTokens.DefaultLifetime.TotalMinutes };
        var quiet = new Option<bool>("--token-only") { Description = "Print the token alone, for scripts." };
        var create = new Command("create", "Make a token with which one node joins, and print the command for it, once.") { data, database.Database, database.PasswordFile, node, existing, minutes, quiet };
        create.SetAction((parsed, stop) => HubCommandLine.WithDataAsync(parsed, data, database, error, options => CreateAsync(
            options,
            new JoinTokenRequest(parsed.GetValue(node), parsed.GetValue(existing), TimeSpan.FromMinutes(parsed.GetValue(minutes))),
            parsed.GetValue(quiet), output, error, stop)));

        var list = new Command("list", "Show the newest join tokens; never the tokens themselves.") { data, database.Database, database.PasswordFile };
        list.SetAction((parsed, stop) => HubCommandLine.WithDataAsync(parsed, data, database, error, options => ListAsync(options, output, error, stop)));

        var id = new Argument<string>("id") { HelpName = "ID" };
        var withdraw = new Command("withdraw", "Make an unused join token useless.") { data, database.Database, database.PasswordFile, id };
        withdraw.SetAction((parsed, stop) => HubCommandLine.WithDataAsync(parsed, data, database, error, options => WithdrawAsync(options, parsed.GetRequiredValue(id), output, error, stop)));

        return new Command("join-token", "Tokens with which nodes join.") { create, list, withdraw };
    }

    public static Command Authority(Option<string?> data, DatabaseOptions database, TextWriter output, TextWriter error)
    {
        var show = new Command("show", "Print the hub's certificate authority (PEM, without its key).") { data, database.Database, database.PasswordFile };
        show.SetAction((parsed, stop) => HubCommandLine.WithDataAsync(parsed, data, database, error, options => HubCommands.WithServicesAsync(options, error, async services =>
        {
            var authority = await services.GetRequiredService<HubIdentity>().OpenAsync(stop);
            await output.WriteLineAsync(authority.Certificate.ExportCertificatePem());
            await error.WriteLineAsync($"SHA-256 {authority.Fingerprint}, until {authority.Certificate.NotAfter.ToUniversalTime():yyyy-MM-dd}");
            return 0;
        }, stop)));

        var yes = new Option<bool>("--yes") { Description = "Every node has to join again; say that you know." };
        var reset = new Command("reset", "Begin anew with another certificate authority, when the key is lost or known to others. The hub must be stopped. Every node has to join again, and announces all the while.") { data, database.Database, database.PasswordFile, yes };
        reset.SetAction((parsed, stop) => HubCommandLine.WithDataAsync(parsed, data, database, error, options => ResetAsync(options, parsed.GetValue(yes), output, error, stop)));

        return new Command("authority", "The hub's own certificate authority.") { show, reset };
    }

    private static Task<int> CreateAsync(HubOptions options, JoinTokenRequest request, bool tokenOnly, TextWriter output, TextWriter error, CancellationToken cancellationToken) =>
        HubCommands.WithServicesAsync(options, error, async services =>
        {
            var made = await services.GetRequiredService<JoinTokens>().CreateAsync(request, HubCommands.Actor, cancellationToken);
            if (made is not { Token: { } token, Info: { } info })
            {
                await error.WriteLineAsync($"failoverhub: {made.Problem}");
                return 1;
            }

            string url = await services.GetRequiredService<HubIdentity>().PublicUrlAsync(cancellationToken);
            await output.WriteLineAsync(tokenOnly ? token.ToString() : JoinCommand.For(url, token, info.Node));
            if (!tokenOnly)
            {
                await error.WriteLineAsync($"Good for one node until {HubCommands.At(info.ExpiresAt)}. Run it on the node, as the agent's user.");
            }

            return 0;
        }, cancellationToken);

    private static Task<int> ListAsync(HubOptions options, TextWriter output, TextWriter error, CancellationToken cancellationToken) =>
        HubCommands.WithServicesAsync(options, error, async services =>
        {
            await output.WriteLineAsync($"{"ID",-34} {"CREATED",-20} {"EXPIRES",-20} {"FOR",-24} {"USED",-20} BY");
            foreach (JoinTokenInfo token in await services.GetRequiredService<JoinTokens>().ListAsync(cancellationToken))
            {
                string used = token.WithdrawnAt is not null ? "withdrawn" : token.UsedAt is { } at ? HubCommands.At(at) : "no";
                await output.WriteLineAsync($"{token.Id,-34} {HubCommands.At(token.CreatedAt),-20} {HubCommands.At(token.ExpiresAt),-20} {token.Node ?? "any",-24} {used,-20} {token.UsedBy}");
            }

            return 0;
        }, cancellationToken);

    private static Task<int> WithdrawAsync(HubOptions options, string id, TextWriter output, TextWriter error, CancellationToken cancellationToken) =>
        HubCommands.WithServicesAsync(options, error, async services =>
        {
            bool done = await services.GetRequiredService<JoinTokens>().WithdrawAsync(id, HubCommands.Actor, cancellationToken);
            await (done ? output : error).WriteLineAsync(done
                ? $"Join token {id} is withdrawn: nobody joins with it."
                : $"failoverhub: there is no unused join token {id}. `failoverhub join-token list` shows those that there are.");
            return done ? 0 : 1;
        }, cancellationToken);

    private static Task<int> ResetAsync(HubOptions options, bool sure, TextWriter output, TextWriter error, CancellationToken cancellationToken) =>
        HubCommands.WithServicesAsync(options, error, async services =>
        {
            if (!sure)
            {
                await error.WriteLineAsync("failoverhub: with another authority no node's certificate is worth anything, and every node has to join again (they announce all the while). Add --yes.");
                return 1;
            }

            using IDisposable alone = services.GetRequiredService<DataFolder>().LockForHub();
            var authority = await services.GetRequiredService<HubIdentity>().ResetAsync(services.GetRequiredService<AuditLog>(), HubCommands.Actor, cancellationToken);
            await output.WriteLineAsync($"The hub has another authority now, SHA-256 {authority.Fingerprint}. Have each node join again: `failoverhub join-token create --node NAME --for-existing`.");
            return 0;
        }, cancellationToken);
}
