using System.Diagnostics;
using Npgsql;

namespace FailoverHub.Web.Tests.Data.Postgres;

/// <summary>
/// A real PostgreSQL server in a folder of its own, on a Unix socket only. It ends with this process, however that ends: the shell
/// that keeps it reads from a pipe, and the pipe closes.
/// </summary>
internal sealed class PostgresServer : IDisposable
{
    // Longer than initdb takes on a machine that is busy with everything else.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    // As root the server runs as Debian's user for it: it refuses to be root. Nothing here has to outlive the tests, so nothing waits for the disk.
    private const string Keeper =
        """
        trap '' INT TERM HUP
        folder=$1
        bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
        [ -n "$bin" ] || bin=$(dirname "$(command -v initdb)")
        as=()
        if [ "$(id -u)" = 0 ]; then chown postgres "$folder"; as=(setpriv --reuid=postgres --regid=postgres --init-groups); fi
        stop() { [ -z "$server" ] || { kill -INT "$server"; wait "$server"; server=; }; }
        start() {
          cd "$folder"
          "${as[@]}" "$bin/postgres" -D data -k "$folder" -c listen_addresses= -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
            -c wal_level=minimal -c max_wal_senders=0 -c max_connections=400 -c autovacuum=off >>log 2>&1 </dev/null &
          server=$!
          for _ in $(seq 600); do
            if "$bin/pg_isready" -q -h "$folder"; then echo ready; return; fi
            kill -0 "$server" 2>/dev/null || break
            sleep 0.1
          done
          echo "not ready: $(tail -5 log)"
        }
        server=
        cd "$folder" && "${as[@]}" "$bin/initdb" -D data -U hub -A trust -E UTF8 --locale=C.UTF-8 --no-sync >log 2>&1 || { echo "initdb: $(cat log)"; exit 1; }
        start
        while read -r word; do
          case $word in stop) stop; echo stopped ;; start) start ;; esac
        done
        stop
        rm -rf "$folder"
        """;

    private readonly Process _keeper;
    private readonly string _folder;

    private PostgresServer(Process keeper, string folder) => (_keeper, _folder) = (keeper, folder);

    public static PostgresServer Start()
    {
        string folder = Directory.CreateTempSubdirectory("failoverhub-pg-").FullName;
        var start = new ProcessStartInfo("bash", ["-c", Keeper, "keeper", folder]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        var server = new PostgresServer(Process.Start(start)!, folder);
        server.Expect("ready");
        return server;
    }

    /// <summary>How one of its databases is reached; the role may do everything.</summary>
    public NpgsqlConnectionStringBuilder Database(string name) => new() { Host = _folder, Username = "hub", Database = name, Timeout = 30 };

    /// <summary>Ends it as an administrator does; every connection is lost.</summary>
    public void Stop() => Tell("stop", "stopped");

    /// <summary>Starts it again on the same data.</summary>
    public void StartAgain() => Tell("start", "ready");

    /// <summary>Does something with one of its databases, usually the one for administration.</summary>
    public void Execute(string sql, string database = "postgres")
    {
        using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(Database(database).ConnectionString) { Pooling = false }.ConnectionString);
        connection.Open();
        using var command = new NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }

    public void Dispose()
    {
        _keeper.StandardInput.Close();
        _keeper.WaitForExit(Patience);
        _keeper.Dispose();
    }

    private void Tell(string word, string answer)
    {
        _keeper.StandardInput.WriteLine(word);
        Expect(answer);
    }

    private void Expect(string answer)
    {
        Task<string?> line = _keeper.StandardOutput.ReadLineAsync();
        Assert.True(line.Wait(Patience), $"PostgreSQL did not get {answer} within {Patience}.");
        Assert.Equal(answer, line.Result);
    }
}
