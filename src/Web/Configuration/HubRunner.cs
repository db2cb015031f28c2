using System.Net.Sockets;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Access.Users;
using FailoverHub.Web.Data;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Operations;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace FailoverHub.Web.Configuration;

/// <summary>Runs the hub until it is told to stop, and says in one sentence why it cannot.</summary>
internal static partial class HubRunner
{
    public static async Task<int> RunAsync(HubOptions options, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        try
        {
            WebApplication app = HubApplication.Build(options);
            await using (app)
            {
                await app.StartAsync(cancellationToken);
                WarnOfClearText(options, app.Logger);
                if (!options.AgentUrl.IsHttps)
                {
                    LogNoCertificates(app.Logger, options.AgentUrl.ToString());
                }


                string url = DashboardUrl(app, options);
                await output.WriteLineAsync($"FailoverHub {HubVersion.Text}. Dashboard: {url}  Agents: {options.AgentUrl}  Data: {options.DataDirectory}{(options.Database.IsPostgres ? $"  Database: {options.Database}" : "")}");
                await output.WriteLineAsync(await HowToSignInAsync(app, url, cancellationToken));
                await output.FlushAsync(cancellationToken);

                await app.WaitForShutdownAsync(cancellationToken);
                return 0;
            }
        }
        catch (Exception exception) when (WhyNot(exception, options) is { } why)
        {
            await error.WriteLineAsync($"failoverhub: {why}");
            return 1;
        }
    }

    // A link that lets anybody in stands in the output only as long as there is no other way in.
    private static async Task<string> HowToSignInAsync(WebApplication app, string url, CancellationToken cancellationToken)
    {
        if (!await app.Services.GetRequiredService<Accounts>().NoneYetAsync(cancellationToken))
        {
            return $"Sign in at: {url.TrimEnd('/')}/sign-in";
        }

        string code = await app.Services.GetRequiredService<SignInCodes>().CreateAsync(new Actor("hub", null, null), cancellationToken);
        return $"Nobody has an account yet. Make the first admin, once, within 15 minutes, with: {HubCommands.SignInUrl(url, code)}&returnUrl=/setup";
    }

    /// <summary>The sentence for what an operator can do something about; null: a bug, which keeps its stack trace.</summary>
    internal static string? WhyNot(Exception exception, HubOptions options) => exception switch
    {
        DataFolderException data => data.Message,
        IdentityException identity => identity.Message,
        IOException { InnerException: AddressInUseException } taken =>
            $"{taken.Message.TrimEnd('.')}. Stop the other program (another hub?), or choose other ports with --urls and --agent-url.",
        SocketException socket =>
            $"cannot listen on {string.Join(", ", options.Urls)} and {options.AgentUrl}: {socket.Message}. Choose addresses of this machine with --urls and --agent-url.",
        InvalidOperationException when options.Urls.Any(u => u.IsHttps) && exception.Message.Contains("certificate", StringComparison.OrdinalIgnoreCase) =>
            "https needs a certificate: set Kestrel:Certificates:Default:Path and :KeyPath in appsettings.json (or Kestrel__Certificates__Default__Path in the environment), or use http on loopback.",
        _ => null,
    };

    /// <summary>The first of --urls, with the port that the system chose where that was left to it.</summary>
    internal static string DashboardUrl(WebApplication app, HubOptions options)
    {
        if (options.Urls[0].Port != 0)
        {
            return options.Urls[0].ToString();
        }

        ICollection<string> bound = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        return options.Urls[0].Format(new Uri(bound.First()).Port);
    }

    private static void WarnOfClearText(HubOptions options, ILogger logger)
    {
        foreach (BindUrl url in options.Urls.Where(u => !u.IsHttps && !u.IsLoopback))
        {
            LogClearText(logger, url.Address?.ToString() ?? "every address", url.Port);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Agents are served WITHOUT TLS AND WITHOUT CERTIFICATES at {Url}, as asked: every program on this machine can pose as any node. This is for trials; leave --agent-url out for https")]
    private static partial void LogNoCertificates(ILogger logger, string url);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The dashboard listens on {Address} port {Port} without TLS: whoever can read that network sees session cookies and API tokens and can use them. Serve https there, or listen on loopback behind a proxy that does.")]
    private static partial void LogClearText(ILogger logger, string address, int port);
}
