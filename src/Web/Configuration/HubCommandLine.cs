using System.CommandLine;

namespace FailoverHub.Web.Configuration;

/// <summary>`failoverhub [run]` and its other commands. Exit code 0: done; 1: could not, with a sentence on standard error.</summary>
internal static class HubCommandLine
{
    public static RootCommand Build(TextWriter output, TextWriter error)
    {
        var urls = new Option<string?>("--urls") { HelpName = "URL[;URL]", Description = $"Where dashboard and API listen. Default {HubOptions.DefaultUrls}. (FAILOVERHUB_URLS)" };
        var agentUrl = new Option<string?>("--agent-url") { HelpName = "URL", Description = $"Where agents are served: plain HTTP/2, loopback only. Default {HubOptions.DefaultAgentUrl}. (FAILOVERHUB_AGENT_URL)" };
        var data = new Option<string?>("--data") { HelpName = "DIR", Description = "Folder of database and keys. Default $XDG_STATE_HOME/failoverhub or ~/.local/state/failoverhub. (FAILOVERHUB_DATA)" };
        var probe = new Option<string?>("--probe") { HelpName = "icmp|tcp:PORT", Description = "How shared addresses are probed. Default icmp. (FAILOVERHUB_PROBE)" };

        Task<int> Run(ParseResult parsed, CancellationToken cancellationToken) =>
            WithOptionsAsync(
                new HubSettings(parsed.GetValue(urls), parsed.GetValue(agentUrl), parsed.GetValue(data), parsed.GetValue(probe)),
                error,
                options => HubRunner.RunAsync(options, output, error, cancellationToken));

        var root = new RootCommand("FailoverHub: every failover pair as it is now, its history, and the controls to move it.") { urls, agentUrl, data, probe };
        root.SetAction(Run);

        var run = new Command("run", "Run the hub (the default).") { urls, agentUrl, data, probe };
        run.SetAction(Run);
        root.Add(run);

        var version = new Command("version", "Print the version.");
        version.SetAction(_ => output.WriteLine(HubVersion.Text));
        root.Add(version);
        return root;
    }

    private static async Task<int> WithOptionsAsync(HubSettings given, TextWriter error, Func<HubOptions, Task<int>> act)
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
