using Npgsql;

namespace FailoverHub.Web.Data;

/// <summary>Which database the hub keeps its things in: the file in its data folder, or one of a PostgreSQL server. Its text never has the password.</summary>
internal sealed class DatabaseSetting
{
    private readonly NpgsqlConnectionStringBuilder? _server;

    private DatabaseSetting(NpgsqlConnectionStringBuilder? server) => _server = server;

    /// <summary>SQLite, in the data folder; needs nothing.</summary>
    public static DatabaseSetting InDataFolder { get; } = new(null);

    public bool IsPostgres => _server is not null;

    /// <summary>How PostgreSQL is reached, with the password; nobody prints or logs this. Null: SQLite.</summary>
    public string? ConnectionString => _server?.ConnectionString;

    /// <summary>A database of a PostgreSQL server.</summary>
    public static DatabaseSetting Postgres(NpgsqlConnectionStringBuilder server) => new(new NpgsqlConnectionStringBuilder(server.ConnectionString));

    /// <summary>For people: which database it is.</summary>
    public override string ToString() => _server is null ? "SQLite in the data folder" : $"PostgreSQL database '{_server.Database}' at {_server.Host}:{_server.Port}";
}
