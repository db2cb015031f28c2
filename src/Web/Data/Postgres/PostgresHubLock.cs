using System.Globalization;
using Npgsql;

namespace FailoverHub.Web.Data;

/// <summary>
/// The lock of a PostgreSQL database, which hubs on several machines may have been given: an advisory lock of a session of its own. The loop
/// "hub-lock" takes it again each second when the session is lost, and stops the hub when another one was quicker. A hub that starts waits a few
/// seconds for one that has just ended; a hub that stops gives the lock back before it says goodbye, so that the next one need not wait.
/// </summary>
internal sealed partial class PostgresHubLock(DataFolder folder, DatabaseSetting database, IHostApplicationLifetime host, TimeProvider time, ILogger<PostgresHubLock> logger) : HubLock
{
    // Any numbers will do; they are the hub's own within its database.
    internal const int LockClass = 0x4648;
    internal const int LockId = 1;
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    // A server on this machine notices in milliseconds that a process has ended, one elsewhere as soon as it is told.
    internal static readonly TimeSpan WaitOnStart = TimeSpan.FromSeconds(5);

    // For one short answer of a server that may be going away itself; without it the lock goes with the connection.
    private static readonly TimeSpan GiveBackWithin = TimeSpan.FromSeconds(2);

    private static readonly string Key = string.Create(CultureInfo.InvariantCulture, $"{LockClass}, {LockId}");

    // Tells our own session, which the server may not have noticed the loss of, from another hub's.
    private readonly string _name = $"failoverhub-lock-{Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(4))}";

    public override async Task<IAsyncDisposable> TakeAsync(CancellationToken cancellationToken)
    {
        FileStream keys = folder.LockForHub();
        try
        {
            NpgsqlConnection session = await TryTakeAsync(WaitOnStart, cancellationToken)
                ?? throw new DataFolderException($"Another hub is running on the {database}. Stop it first (after a crash of its machine the server lets go within a minute), or name another database with --database.");
            return new Kept(this, keys, session);
        }
        catch (NpgsqlException e)
        {
            await keys.DisposeAsync();
            throw new DataFolderException($"The {database} cannot be used ({e.Message}). Is the server running and reachable?", e);
        }
        catch
        {
            await keys.DisposeAsync();
            throw;
        }
    }

    /// <param name="patience">How long the server waits for another session to give it back; zero: not at all.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The session that has it; null: another hub has it.</returns>
    private async Task<NpgsqlConnection?> TryTakeAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        var session = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Pooling = false, KeepAlive = 10, ApplicationName = _name }.ConnectionString);
        try
        {
            await session.OpenAsync(cancellationToken);

            // A server that no longer hears this machine lets go of the lock after half a minute instead of two hours.
            await ExecuteAsync(session, "SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3", cancellationToken);
            if (await TryLockAsync(session, cancellationToken) || (patience > TimeSpan.Zero && await WaitForLockAsync(session, patience, cancellationToken)))
            {
                return session;
            }
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }

        await session.DisposeAsync();
        return null;
    }

    private async Task<bool> TryLockAsync(NpgsqlConnection session, CancellationToken cancellationToken)
    {
        // What is left of a session of ours would keep us out.
        await ExecuteAsync(
            session,
            $"SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE application_name = '{_name}' AND datname = current_database() AND pid <> pg_backend_pid()",
            cancellationToken);
        await using var command = new NpgsqlCommand($"SELECT pg_try_advisory_lock({Key})", session);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    // It is the server that waits: it knows at once when the other session ends.
    private async Task<bool> WaitForLockAsync(NpgsqlConnection session, TimeSpan patience, CancellationToken cancellationToken)
    {
        LogWaits(logger, database, (int)patience.TotalSeconds);
        try
        {
            await ExecuteAsync(session, string.Create(CultureInfo.InvariantCulture, $"SET lock_timeout = {(int)patience.TotalMilliseconds}"), cancellationToken);
            await ExecuteAsync(session, $"SELECT pg_advisory_lock({Key})", cancellationToken);
            await ExecuteAsync(session, "RESET lock_timeout", cancellationToken);
            return true;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            return false;
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection session, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, session);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task KeepAsync(NpgsqlConnection held, CancellationToken stopping)
    {
        NpgsqlConnection? session = held;
        while (session is not null)
        {
            await using (session)
            {
                await UntilLostAsync(session, stopping);
                if (stopping.IsCancellationRequested)
                {
                    await GiveBackAsync(session);
                }
            }

            if (stopping.IsCancellationRequested)
            {
                return;
            }

            LogLost(logger, database);
            session = await TakeAgainAsync(stopping);
        }
    }

    /// <returns>Null: the hub stops.</returns>
    private async Task<NpgsqlConnection?> TakeAgainAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                if (await TryTakeAsync(TimeSpan.Zero, stopping) is { } session)
                {
                    LogTakenAgain(logger);
                    return session;
                }

                LogTakenByAnother(logger, database);
                host.StopApplication();
                return null;
            }
            catch (NpgsqlException)
            {
                await Task.Delay(RetryAfter, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return null;
            }
        }

        return null;
    }

    // Nobody notifies us: the wait ends with the session, which is asked every ten seconds whether it lives.
    private static async Task UntilLostAsync(NpgsqlConnection session, CancellationToken stopping)
    {
        try
        {
            while (true)
            {
                await session.WaitAsync(stopping);
            }
        }
        catch (Exception e) when (e is NpgsqlException or IOException or OperationCanceledException or InvalidOperationException)
        {
            // Lost, or no longer wanted; the caller knows which.
        }
    }

    // Closing the connection alone would do it too, but only when the server comes to it: a hub that starts at once would find the lock taken.
    private static async Task GiveBackAsync(NpgsqlConnection session)
    {
        using var late = new CancellationTokenSource(GiveBackWithin, TimeProvider.System);
        try
        {
            await ExecuteAsync(session, $"SELECT pg_advisory_unlock({Key})", late.Token);
        }
        catch (Exception e) when (e is NpgsqlException or IOException or OperationCanceledException or InvalidOperationException)
        {
            // The session is lost, or the server has no time: the lock goes with the connection.
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Another hub holds the lock of the {Database}; if it has just ended it lets go of it, so this one waits for up to {Seconds} s")]
    private static partial void LogWaits(ILogger logger, DatabaseSetting database, int seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The {Database} is away: no operation is accepted and history waits in memory until it is back; the nodes go on without it")]
    private static partial void LogLost(ILogger logger, DatabaseSetting database);

    [LoggerMessage(Level = LogLevel.Information, Message = "The database is back, and still this hub's own")]
    private static partial void LogTakenAgain(ILogger logger);

    [LoggerMessage(Level = LogLevel.Critical, Message = "Another hub has taken the {Database} while it was away, so this one stops; the nodes go on without it")]
    private static partial void LogTakenByAnother(ILogger logger, DatabaseSetting database);

    private sealed class Kept : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stopping = new();
        private readonly FileStream _keys;
        private readonly Task _keeping;
        private Task? _ending;

        public Kept(PostgresHubLock owner, FileStream keys, NpgsqlConnection session)
        {
            _keys = keys;
            _keeping = owner.KeepAsync(session, _stopping.Token);
        }

        /// <summary>Gives it back, once: whoever asks again waits for the same end.</summary>
        public async ValueTask DisposeAsync()
        {
            var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (Interlocked.CompareExchange(ref _ending, ended.Task, null) is { } ending)
            {
                await ending;
                return;
            }

            try
            {
                await _stopping.CancelAsync();
                await _keeping;
            }
            finally
            {
                _stopping.Dispose();
                await _keys.DisposeAsync();
                ended.SetResult();
            }
        }
    }
}
