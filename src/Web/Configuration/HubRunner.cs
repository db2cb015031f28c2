using System.Net.Sockets;

namespace FailoverHub.Web.Configuration;

/// <summary>Runs the hub until it is told to stop, and says in one sentence why it cannot.</summary>
internal static class HubRunner
{
    public static async Task<int> RunAsync(HubOptions options, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        WebApplication app = HubApplication.Build(options);
        await using (app)
        {
            try
            {
                await app.StartAsync(cancellationToken);
            }
            catch (IOException exception) when (exception.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
            {
                await error.WriteLineAsync($"failoverhub: a port is already in use: {exception.Message} Stop the other program, or choose other ports with --urls and --agent-url.");
                return 1;
            }
            catch (SocketException exception)
            {
                await error.WriteLineAsync($"failoverhub: cannot listen on {string.Join(", ", options.Urls)} and {options.AgentUrl}: {exception.Message}. Choose addresses of this machine with --urls and --agent-url.");
                return 1;
            }

            await output.WriteLineAsync($"Dashboard: {options.Urls[0]}");
            await app.WaitForShutdownAsync(cancellationToken);
            return 0;
        }
    }
}
