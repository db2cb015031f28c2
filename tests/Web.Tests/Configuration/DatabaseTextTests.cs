using FailoverHub.Web.Configuration;
using FailoverHub.Web.Data;
using Npgsql;

namespace FailoverHub.Web.Tests.Configuration;

/// <summary>How the database is named, and that its password is nowhere to be read.</summary>
public sealed class DatabaseTextTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("sqlite")]
    [InlineData(" SQLite ")]
    public void NothingOrSqlite_IsTheFileInTheDataFolder(string? text) => Assert.False(Parsed(text).IsPostgres);

    [Theory]
    [InlineData("postgresql://hub@db.example.org/failoverhub", "db.example.org", 5432, "failoverhub", "hub", null, SslMode.Prefer)]
    [InlineData("postgres://hub:p%40ss@db.example.org:6432/failoverhub?sslmode=verify-full", "db.example.org", 6432, "failoverhub", "hub", "p@ss", SslMode.VerifyFull)]
    [InlineData("postgresql:///failoverhub?host=/run/postgresql", "/run/postgresql", 5432, "failoverhub", null, null, SslMode.Prefer)]
    [InlineData("Host=db;Port=1;Database=d;Username=u;SSL Mode=Require", "db", 1, "d", "u", null, SslMode.Require)]
    public void Connection_IsReadAsAUrlOrAsKeywords(string text, string host, int port, string database, string? user, string? password, SslMode ssl)
    {
        var read = new NpgsqlConnectionStringBuilder(Parsed(text).ConnectionString);

        Assert.Equal((host, port, database, user, password, ssl), (read.Host, read.Port, read.Database, read.Username, read.Password, read.SslMode));
        Assert.Equal(("failoverhub", 5), (read.ApplicationName, read.Timeout));
    }

    [Theory]
    [InlineData("mysql://hub:s3cret@db/failoverhub", "neither")]
    [InlineData("Host=db;Passwort=s3cret", "neither")]
    [InlineData("postgresql://hub:s3cret@db/failoverhub?sslmode=perhaps", "neither")]
    [InlineData("postgresql://hub:s3cret@db/failoverhub?colour=s3cret", "neither")]
    [InlineData("postgresql://hub:s3cret@db", "names no database")]
    [InlineData("postgresql://hub:s3cret@db:port/failoverhub", "neither")]
    [InlineData("Database=failoverhub;Password=s3cret", "names no host")]
    [InlineData("", "names no host")]
    public void WhatIsNoConnection_IsRefusedWithoutRepeatingIt(string text, string problem)
    {
        HubOptionsResult result = HubOptions.Parse(new HubSettings(Database: text));

        string sentence = Assert.Single(result.Problems);
        Assert.Contains("--database (FAILOVERHUB_DATABASE)", sentence, StringComparison.Ordinal);
        Assert.Contains(problem, sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void PasswordFile_IsThePasswordWithoutItsLineEnd()
    {
        string file = Path.GetTempFileName();
        File.WriteAllText(file, " s3cret \n");

        HubOptions options = HubOptions.Parse(new HubSettings(Database: "postgresql://hub@db/failoverhub", DatabasePasswordFile: file)).Options!;

        Assert.Equal(" s3cret ", new NpgsqlConnectionStringBuilder(options.Database.ConnectionString).Password);
        Assert.DoesNotContain("s3cret", options.ToString(), StringComparison.Ordinal);
        File.Delete(file);
    }

    [Theory]
    [InlineData("postgresql://hub:s3cret@db/failoverhub", "/etc/hostname", "Leave one of them out")]
    [InlineData("postgresql://hub@db/failoverhub", "/nowhere/password", "cannot be read")]
    [InlineData("postgresql://hub@db/failoverhub", "/dev/null", "is empty")]
    [InlineData(null, "/etc/hostname", "goes with a PostgreSQL database")]
    public void PasswordFile_ThatCannotBeUsed_IsSaid(string? text, string file, string problem)
    {
        string sentence = Assert.Single(HubOptions.Parse(new HubSettings(Database: text, DatabasePasswordFile: file)).Problems);

        Assert.Contains(problem, sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_AsText_HaveNoPassword()
    {
        const string text = "postgresql://hub:s3cret@db/failoverhub";

        Assert.DoesNotContain("s3cret", new HubSettings(Database: text).ToString(), StringComparison.Ordinal);
        Assert.Equal("PostgreSQL database 'failoverhub' at db:5432", Parsed(text).ToString());
    }

    private static DatabaseSetting Parsed(string? text) => HubOptions.Parse(new HubSettings(Database: text)).Options!.Database;
}
