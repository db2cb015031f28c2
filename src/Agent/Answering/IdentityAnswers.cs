using System.Net;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Answering;

/// <summary>
/// Answers the hub's identity requests on the shared addresses of this node, so that the hub knows which node it is that packets to an address reach: the loop
/// "identity". Nothing is opened before a hub has given what to answer with, so a stand-alone agent has no socket for it. Nothing happens while nobody asks, and nothing
/// of it can touch a session.
/// </summary>
/// <param name="port">UDP port, 1 to 65535; 0: nothing is answered.</param>
/// <param name="isShared">Whether an address is a shared one that this machine has: no other is answered on.</param>
/// <param name="time">For the budget, and for what could not be opened.</param>
/// <param name="logger">Its log.</param>
internal sealed partial class IdentityAnswers(int port, Func<IPAddress, bool> isShared, TimeProvider time, ILogger<IdentityAnswers> logger) : IDisposable
{
    /// <summary>A port that another program has may be free again after this time.</summary>
    public static readonly TimeSpan OpenAgainAfter = TimeSpan.FromSeconds(60);

    /// <summary>Somebody floods the port: so long nothing is read, and the kernel throws away what it has no room for.</summary>
    public static readonly TimeSpan FloodPause = TimeSpan.FromMilliseconds(50);

    private readonly Lock _gate = new();
    private readonly AnswerBudget _budget = new();
    private readonly long _origin = time.GetTimestamp();
    private volatile Wanted _wanted = new(port, null);
    private CancellationTokenSource _changed = new();
    private int _port;
    private string? _said;

    /// <summary>The port on which it answers now; 0: it does not. From any thread.</summary>
    public int Port => Volatile.Read(ref _port);

    /// <summary>Another port from now on; 0: none. From any thread.</summary>
    public void Configure(int port) => Change(wanted => wanted with { Port = port });

    /// <summary>What the hub has given; null: it is no hub's node any more. From any thread.</summary>
    public void Take(IdentityGrant? grant) => Change(wanted => wanted.Grant is { } before && grant is not null && before.IsAs(grant) ? wanted : wanted with { Grant = grant });

    /// <summary>Runs until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var changed = Volatile.Read(ref _changed);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, changed.Token);
            try
            {
                await AnswerAsync(_wanted, either.Token);
            }
            catch (OperationCanceledException) when (either.IsCancellationRequested)
            {
                continue;
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                // A bug, or a machine in trouble. What is announced does not depend on it.
                Broke(logger, exception);
                await Task.Delay(OpenAgainAfter, time, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            finally
            {
                Volatile.Write(ref _port, 0);
            }
        }
    }

    /// <summary>When the loop has ended.</summary>
    public void Dispose() => _changed.Dispose();

    private TimeSpan Now => time.GetElapsedTime(_origin);

    // The loop takes the source first and then what is wanted: what it misses of the one it sees by the other.
    private void Change(Func<Wanted, Wanted> change)
    {
        CancellationTokenSource before;
        lock (_gate)
        {
            var wanted = change(_wanted);
            if (wanted == _wanted)
            {
                return;
            }

            _wanted = wanted;
            before = _changed;
            Volatile.Write(ref _changed, new CancellationTokenSource());
        }

        before.Cancel();
    }

    private async Task AnswerAsync(Wanted wanted, CancellationToken cancellationToken)
    {
        if (wanted is not { Port: > 0, Grant: { } grant })
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken);
            return;
        }

        var (socket, problem) = AnswerSocket.Open(wanted.Port);
        if (socket is null)
        {
            if (_said != problem)
            {
                _said = problem;
                Say(logger, LogLevel.Warning, $"Identity requests are not answered, UDP port {wanted.Port} cannot be had: {problem}; the hub infers which node is active instead of seeing it. Give another with --identity-port PORT, or 0 for none");
            }

            await Task.Delay(OpenAgainAfter, time, cancellationToken);
            return;
        }

        try
        {
            _said = null;
            var begins = $"Identity requests to the shared addresses are answered on UDP port {wanted.Port}, as {grant.Label}";
            Say(logger, LogLevel.Information, begins);
            Volatile.Write(ref _port, wanted.Port);
            await AnswerAsync(socket, grant, cancellationToken);
        }
        finally
        {
            socket.Dispose();
            var ends = $"Identity requests are no longer answered on UDP port {wanted.Port}";
            Say(logger, LogLevel.Debug, ends);
        }
    }

    private async Task AnswerAsync(AnswerSocket socket, IdentityGrant grant, CancellationToken cancellationToken)
    {
        // One octet more than a request has: one that is longer is none.
        var request = new byte[IdentityDatagram.RequestSize + 1];
        var answer = new byte[IdentityDatagram.LongestAnswer];
        while (true)
        {
            if (!_budget.MayRead(Now))
            {
                await Task.Delay(FloodPause, time, cancellationToken);
                continue;
            }

            await socket.WaitAsync(cancellationToken);
            AnswerOne(socket, grant, request, answer);
        }
    }

    private void AnswerOne(AnswerSocket socket, IdentityGrant grant, byte[] request, byte[] answer)
    {
        var length = socket.TryReceive(request, out var from, out var to);
        if (length >= 0 && IdentityDatagram.IsFor(request.AsSpan(0, length), to) && isShared(to)
            && IdentityDatagram.IsFromTheHub(request, grant) && _budget.MayAnswer(from.Address, Now))
        {
            socket.Send(answer.AsSpan(0, IdentityDatagram.Answer(request, grant, answer)), to, from);
        }
    }

    private sealed record Wanted(int Port, IdentityGrant? Grant);

    // One shape for all: each costs code of its own in the agent's file.
    [LoggerMessage(EventId = 1, Message = "{Text}")]
    private static partial void Say(ILogger logger, LogLevel level, string text);

    [LoggerMessage(EventId = 2, Level = LogLevel.Critical, Message = "The answering of identity requests broke on an internal error; nothing else is touched, it begins again")]
    private static partial void Broke(ILogger logger, Exception exception);
}
