using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Access.Tokens;
using FailoverHub.Web.Data;

namespace FailoverHub.Web.Api.Live;

/// <summary>
/// A stream asks for leave when it begins; this asks again while it lasts, so that a revoked token or a closed session (signed out, locked, other roles, a new password) sees nothing more: at
/// once when it ends in this process, else within <see cref="Every"/>.
/// </summary>
internal sealed class LiveAccess(ApiTokens tokens, Sessions sessions, SessionSignals signals, TimeProvider time)
{
    private const string Bearer = "Bearer ";

    /// <summary>The longest that somebody goes on seeing what is no longer theirs to see: what has expired, and what the hub's command line has revoked.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(15);

    /// <summary>Cancels the stream when its caller may no longer read. Ends when it is cancelled.</summary>
    public async Task EndWhenRefusedAsync(HttpContext? http, CancellationTokenSource stream)
    {
        try
        {
            while (true)
            {
                // Asked for before looking: whatever ends after the look is not missed.
                Task ended = signals.Next;
                if (!await IsAllowedAsync(http, stream.Token))
                {
                    await stream.CancelAsync();
                    return;
                }

                using var next = CancellationTokenSource.CreateLinkedTokenSource(stream.Token);
                await Task.WhenAny(ended, Task.Delay(Every, time, next.Token));
                await next.CancelAsync();
            }
        }
        catch (OperationCanceledException) when (stream.IsCancellationRequested)
        {
            // The stream has ended.
        }
    }

    /// <summary>Whether the caller may read now. Where that cannot be looked up it may not.</summary>
    public async Task<bool> IsAllowedAsync(HttpContext? http, CancellationToken cancellationToken)
    {
        if (http is null)
        {
            return false;
        }

        string header = http.Request.Headers.Authorization.ToString();
        try
        {
            return header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
                ? await tokens.AuthenticateAsync(header[Bearer.Length..].Trim(), cancellationToken) is not null
                : await sessions.IsOpenAsync(http.User, cancellationToken);
        }
        catch (Exception exception) when (StorageFaults.IsStorageFault(exception))
        {
            return false;
        }
    }
}
