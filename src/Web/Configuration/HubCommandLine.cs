using System.CommandLine;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.Tokens;
using FailoverHub.Web.Configuration.Commands;

namespace FailoverHub.Web.Configuration;

/// <summary>`failoverhub [run]` and its other commands. Exit code 0: done; 1: could not, with a sentence on standard error.</summary>
internal static class HubCommandLine
{
    public static RootCommand Build(TextWriter output, TextWriter error)
    {
        var urls = new Option<string?>("--urls") { HelpName = "URL[;URL]", Description = $"Where dashboard and API listen. Default {HubOptions.DefaultUrls}. (FAILOVERHUB_URLS)" };
        var agentUrl = new Option<string?>("--agent-url") { HelpName = "URL", Description = $"Where agents are served, with TLS and client certificates; http:// on loopback is for trials. Default {HubOptions.DefaultAgentUrl}. (FAILOVERHUB_AGENT_URL)" };
        var agentNames = new Option<string?>("--agent-names") { HelpName = "NAME[,NAME]", Description = "Names and addresses by which agents reach this hub; the first stands in the join command. Default: this machine's host name. (FAILOVERHUB_AGENT_NAMES)" };
        var agentCertificate = new Option<string?>("--agent-certificate") { HelpName = "FILE", Description = "Your own certificate for the agents' endpoint, PEM with its chain. Default: the hub makes one. (FAILOVERHUB_AGENT_CERTIFICATE)" };
        var agentKey = new Option<string?>("--agent-key") { HelpName = "FILE", Description = "The key of --agent-certificate, PEM, not encrypted. (FAILOVERHUB_AGENT_KEY)" };
        var data = new Option<string?>("--data") { HelpName = "DIR", Description = "Folder of database and keys. Default $XDG_STATE_HOME/failoverhub or ~/.local/state/failoverhub. (FAILOVERHUB_DATA)" };
        var probe = new Option<string?>("--probe") { HelpName = "icmp|tcp:PORT", Description = "How shared addresses are probed. Default icmp. (FAILOVERHUB_PROBE)" };
        var vantages = new Option<string?>("--vantage-points") { HelpName = "0..3", Description = "Nodes that ask each address beside the hub, of those that do not share it. Default 1. (FAILOVERHUB_VANTAGE_POINTS)" };
        var proxies = new Option<string[]>("--trusted-proxy") { HelpName = "ADDRESS|CIDR", AllowMultipleArgumentsPerToken = true, Description = "A reverse proxy whose X-Forwarded-For, -Proto and -Host are believed; may be repeated. Default: none. (FAILOVERHUB_TRUSTED_PROXIES, separated by commas)" };
        var publicUrl = new Option<string?>("--public-url") { HelpName = "URL", Description = "Where people reach the dashboard, for links in alerts: https://hub.example. Default: not known, no links. (FAILOVERHUB_PUBLIC_URL)" };

        var database = new DatabaseOptions();

        Task<int> Run(ParseResult parsed, CancellationToken cancellationToken) =>
            WithOptionsAsync(
                database.Into(
                    new HubSettings(parsed.GetValue(urls), parsed.GetValue(agentUrl), parsed.GetValue(data), parsed.GetValue(probe))
                    {
                        AgentNames = parsed.GetValue(agentNames),
                        AgentCertificate = parsed.GetValue(agentCertificate),
                        AgentKey = parsed.GetValue(agentKey),
                        VantagePoints = parsed.GetValue(vantages),
                        PublicUrl = parsed.GetValue(publicUrl),
                        TrustedProxies = parsed.GetValue(proxies) is { Length: > 0 } named ? string.Join(',', named) : null,
                    },
                    parsed),
                error,
                options => HubRunner.RunAsync(options, output, error, cancellationToken));

        var root = new RootCommand("FailoverHub: every failover pair as it is now, its history, and the controls to move it.") { urls, agentUrl, agentNames, agentCertificate, agentKey, data, probe, vantages, proxies, publicUrl, database.Database, database.PasswordFile };
        root.SetAction(Run);

        var run = new Command("run", "Run the hub (the default).") { urls, agentUrl, agentNames, agentCertificate, agentKey, data, probe, vantages, proxies, publicUrl, database.Database, database.PasswordFile };
        run.SetAction(Run);
        root.Add(run);

        root.Add(SignInLink(data, urls, database, output, error));
        root.Add(Token(data, database, output, error));
        root.Add(UserCommands.Build(data, database, output, error));
        root.Add(AuditCommandLine.Build(data, database, output, error));
        root.Add(RetentionCommandLine.Build(data, database, output, error));
        root.Add(BackupCommandLine.Backup(data, database, output, error));
        root.Add(BackupCommandLine.Restore(data, database, output, error));
        root.Add(ReadyCommand.Build(urls, output, error));
        root.Add(JoinCommands.JoinToken(data, database, output, error));
        root.Add(JoinCommands.Authority(data, database, output, error));

        var version = new Command("version", "Print the version.");
        version.SetAction(_ => output.WriteLine(HubVersion.Text));
        root.Add(version);
        return root;
    }

    private static Command SignInLink(Option<string?> data, Option<string?> urls, DatabaseOptions database, TextWriter output, TextWriter error)
    {
        var url = new Option<string?>("--url") { HelpName = "URL", Description = "What the link begins with. Default: the first of --urls." };
        var command = new Command("sign-in-link", "Print a new one-time link that signs a browser in; good for 15 minutes.") { data, urls, url, database.Database, database.PasswordFile };
        command.SetAction((parsed, cancellationToken) => WithOptionsAsync(
            database.Into(new HubSettings(Urls: parsed.GetValue(urls), Data: parsed.GetValue(data)), parsed),
            error,
            options => HubCommands.SignInLinkAsync(options, parsed.GetValue(url), output, error, cancellationToken)));
        return command;
    }

    private static Command Token(Option<string?> data, DatabaseOptions database, TextWriter output, TextWriter error)
    {
        var token = new Command("token", "Tokens for scripts that use the API.");

        var name = new Option<string>("--name") { Required = true, HelpName = "NAME", Description = "1 to 63 letters, digits, '.', '-', '_'." };
        var scope = new Option<string>("--scope") { HelpName = "read|operate|approve|admin", Description = "What it may do. Default operate.", DefaultValueFactory = _ => ApiScopes.Operate };
        scope.AcceptOnlyFromAmong(ApiScopes.Read, ApiScopes.Operate, ApiScopes.Approve, ApiScopes.Admin);
        var days = new Option<int>("--days") { HelpName = "DAYS", Description = "Expires after so many days, 1 to 366. Default 90.", DefaultValueFactory = _ => (int)ApiTokens.DefaultLifetime.TotalDays };
        days.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 366)
            {
                result.AddError("--days: write 1 to 366.");
            }
        });
        var create = new Command("create", "Make a token and print it, once.") { data, name, scope, days, database.Database, database.PasswordFile };
        create.SetAction((parsed, cancellationToken) => WithDataAsync(parsed, data, database, error, options => HubCommands.CreateTokenAsync(
            options,
            parsed.GetRequiredValue(name),
            ApiScopes.Parse(parsed.GetRequiredValue(scope)) ?? ApiScope.Read,
            TimeSpan.FromDays(parsed.GetValue(days)),
            output, error, cancellationToken)));

        var list = new Command("list", "Show the tokens that there are; never the tokens themselves.") { data, database.Database, database.PasswordFile };
        list.SetAction((parsed, cancellationToken) =>
            WithDataAsync(parsed, data, database, error, options => HubCommands.ListTokensAsync(options, output, error, cancellationToken)));

        var which = new Argument<string>("name") { HelpName = "NAME" };
        var revoke = new Command("revoke", "Take a token's rights away at once.") { data, which, database.Database, database.PasswordFile };
        revoke.SetAction((parsed, cancellationToken) =>
            WithDataAsync(parsed, data, database, error, options => HubCommands.RevokeTokenAsync(options, parsed.GetRequiredValue(which), output, error, cancellationToken)));

        token.Add(create);
        token.Add(list);
        token.Add(revoke);
        return token;
    }

    internal static Task<int> WithDataAsync(ParseResult parsed, Option<string?> data, DatabaseOptions database, TextWriter error, Func<HubOptions, Task<int>> act) =>
        WithOptionsAsync(database.Into(new HubSettings(Data: parsed.GetValue(data)), parsed), error, act);

    internal static async Task<int> WithOptionsAsync(HubSettings given, TextWriter error, Func<HubOptions, Task<int>> act)
    {
        HubOptionsResult parsed = HubOptions.Parse(HubSettings.Layer(given, Environment.GetEnvironmentVariable, HubSettings.ReadFile()));
        if (parsed.Options is { } options)
        {
            return await act(options);
        }

        foreach (string problem in parsed.Problems)
        {
            await error.WriteLineAsync($"failoverhub: {problem}");
        }

        return 1;
    }
}
