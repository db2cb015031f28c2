using System.Net.Sockets;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Speaker;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Service;

/// <summary>The agent as a service of systemd; of anything else that starts it, nothing happens here.</summary>
internal sealed partial class ServiceLink : IDisposable
{
    private const string LoopStandsStill =
        "the sessions and what is announced stay as they are, but no address, check or order changes them until it goes on; does the disk of the state directory answer?";

    private readonly ServiceManager? _manager;
    private readonly NotifySocket? _socket;
    private readonly ServiceReporter? _reporter;
    private readonly NodeLoop? _loop;

    private ServiceLink()
    {
    }

    private ServiceLink(ServiceManager manager, NotifySocket socket, ServiceReporter reporter, NodeLoop loop)
    {
        (_manager, _socket, _reporter, _loop) = (manager, socket, reporter, loop);
        loop.Changed += reporter.OnChanged;
    }

    /// <summary>Looks into the environment, and takes its own variables out: what the agent starts shall not speak for it.</summary>
    public static ServiceLink Open(NodeLoop loop, BgpSpeaker speaker, TimeProvider time, ILoggerFactory logging)
    {
        var manager = ServiceManager.Of(Environment.GetEnvironmentVariable, Environment.ProcessId);
        foreach (var name in (string[])["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"])
        {
            Environment.SetEnvironmentVariable(name, null);
        }

        if (manager is null)
        {
            return new ServiceLink();
        }

        var logger = logging.CreateLogger<ServiceReporter>();
        try
        {
            var socket = new NotifySocket(manager.Socket);
            var vitals = new Vitals(
            [
                new VitalPart("the loop of the node", () => loop.Turns, () => loop.TryPost(new NodeEvent.Tick()), LoopStandsStill),
                new VitalPart("the thread of the sessions", () => speaker.Turns, speaker.Wake),
            ]);
            return new ServiceLink(manager, socket, new ServiceReporter(socket, () => loop.Current, vitals, time, logger), loop);
        }
        catch (Exception exception) when (exception is SocketException or ArgumentException)
        {
            CannotSpeak(logger, manager.Socket, exception.Message);
            return new ServiceLink();
        }
    }

    /// <summary>The first plan is out and the control answers: says so, and how the node stands until it is cancelled.</summary>
    public Task RunAsync(CancellationToken cancellationToken) => _reporter?.RunAsync(_manager!.Watchdog, cancellationToken) ?? Task.CompletedTask;

    /// <summary>The configuration is read again; <see cref="Reloaded"/> follows in any case.</summary>
    public void Reloading() => _reporter?.Reloading();

    /// <summary>The configuration was read again, or the old one is kept.</summary>
    public void Reloaded() => _reporter?.Reloaded();

    /// <summary>The agent ends.</summary>
    public void Stopping(string cause) => _reporter?.Stopping(cause);

    public void Dispose()
    {
        if (_reporter is not null)
        {
            _loop!.Changed -= _reporter.OnChanged;
            _socket!.Dispose();
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "systemd cannot be told anything at {Socket}: {Problem}")]
    private static partial void CannotSpeak(ILogger logger, string socket, string problem);
}
