using System.Net.Sockets;

namespace FailoverHub.Agent.Control.Claims;

/// <summary>
/// One name that this process holds, and the loop "claim-askers", which takes whoever asks whose it is from the queue of its socket: the kernel has told him
/// by then. The loop ends when the claim is given up.
/// </summary>
internal sealed class HeldClaim : IDisposable
{
    private static readonly TimeSpan PauseWithoutDescriptors = TimeSpan.FromSeconds(1);

    private readonly Socket _socket;
    private readonly CancellationTokenSource _givenUp = new();

    /// <param name="socket">Bound to the name, and listening.</param>
    public HeldClaim(Socket socket)
    {
        _socket = socket;
        var givenUp = _givenUp.Token;

        // Not awaited by anybody: it ends with the token, and gives nothing back.
        _ = Task.Run(() => HangUpOnAskersAsync(givenUp), CancellationToken.None);
    }

    /// <summary>Gives it up: the next one who asks finds nobody.</summary>
    public void Dispose()
    {
        _givenUp.Cancel();
        _socket.Dispose();
        _givenUp.Dispose();
    }

    private async Task HangUpOnAskersAsync(CancellationToken givenUp)
    {
        while (!givenUp.IsCancellationRequested)
        {
            try
            {
                (await _socket.AcceptAsync(givenUp)).Dispose();
            }
            catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                // No descriptors left, as a rule: whoever asks meanwhile waits in the queue.
                await Task.Delay(PauseWithoutDescriptors, TimeProvider.System, givenUp).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
