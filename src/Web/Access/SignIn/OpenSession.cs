using System.Security.Claims;
using FailoverHub.Web.Data;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server;

namespace FailoverHub.Web.Access.SignIn;

/// <summary>Who comes with a session needs it open at this moment, not only when the page was loaded. A token has none; it was looked up just now.</summary>
internal sealed class OpenSession : IAuthorizationRequirement;

/// <summary>Asks for it.</summary>
internal sealed class OpenSessionHandler(Sessions sessions) : AuthorizationHandler<OpenSession>
{
    protected override async Task HandleRequirementAsync(AuthorizationHandlerContext context, OpenSession requirement)
    {
        if (AccessPolicies.IsByToken(context.User) || await sessions.IsOpenAsync(context.User, CancellationToken.None))
        {
            context.Succeed(requirement);
        }
    }
}

/// <summary>
/// Who a circuit belongs to. A circuit makes no requests, so its session is looked up whenever some session ends, and every now and then besides; when
/// its own has ended, the circuit is nobody's. One loop for each circuit that belongs to somebody; it ends with the session or the circuit.
/// </summary>
internal sealed partial class CircuitSession : ServerAuthenticationStateProvider, IAsyncDisposable
{
    private readonly Sessions _sessions;
    private readonly SessionSignals _signals;
    private readonly TimeProvider _time;
    private readonly ILogger<CircuitSession> _logger;
    private readonly CancellationTokenSource _leaving = new();
    private Task _following = Task.CompletedTask;

    public CircuitSession(Sessions sessions, SessionSignals signals, TimeProvider time, ILogger<CircuitSession> logger)
    {
        (_sessions, _signals, _time, _logger) = (sessions, signals, time, logger);
        AuthenticationStateChanged += Begin;
    }

    /// <summary>The longest that a page goes on showing the present after another process has ended its session.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromSeconds(30);

    public async ValueTask DisposeAsync()
    {
        AuthenticationStateChanged -= Begin;
        await _leaving.CancelAsync();
        await _following;
        _leaving.Dispose();
    }

    private void Begin(Task<AuthenticationState> told)
    {
        if (_following.IsCompleted && !_leaving.IsCancellationRequested)
        {
            _following = FollowAsync(told);
        }
    }

    private async Task FollowAsync(Task<AuthenticationState> told)
    {
        try
        {
            ClaimsPrincipal user = (await told).User;
            while (user.Identity is { IsAuthenticated: true })
            {
                // Taken before looking, so that nothing that ends meanwhile is missed.
                Task ended = _signals.Next;
                if (!await _sessions.IsOpenAsync(user, _leaving.Token))
                {
                    Close();
                    return;
                }

                await Task.WhenAny(ended, Task.Delay(Every, _time, _leaving.Token));
                _leaving.Token.ThrowIfCancellationRequested();
            }
        }
        catch (OperationCanceledException) when (_leaving.IsCancellationRequested)
        {
            // The page was left.
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            LogUnknown(_logger, fault);
            Close();
        }
    }

    private void Close() => SetAuthenticationState(Task.FromResult(new AuthenticationState(new ClaimsPrincipal(new ClaimsIdentity()))));

    [LoggerMessage(Level = LogLevel.Error, Message = "Whether a session is still open cannot be read; its page is closed")]
    private static partial void LogUnknown(ILogger logger, Exception exception);
}
