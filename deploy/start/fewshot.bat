@echo off
rem Opens the teacher's app; the first time it installs it. Windows: double-click. It needs no administrator, and writes
rem only to %FEWSHOT_HOME% (default: .fewshot in your home).
setlocal EnableExtensions DisableDelayedExpansion
chcp 65001 >nul
title fewshot

for %%I in ("%~dp0..\..") do set "SOURCE=%%~fI"
if not exist "%SOURCE%\pyproject.toml" (
    set "WHAT=the files of fewshot are not in %SOURCE%."
    set "NEXT=Unpack the whole download (right-click, Extract All), and start this file in the folder that comes out."
    goto stop
)

if not defined FEWSHOT_HOME set "FEWSHOT_HOME=%USERPROFILE%\.fewshot"
set "PLACE=%FEWSHOT_HOME%\program"
if not exist "%PLACE%" mkdir "%PLACE%" 2>nul
if not exist "%PLACE%" (
    set "WHAT=%PLACE% cannot be made."
    set "NEXT=Free some space, or set FEWSHOT_HOME to a folder where you may write, and start again."
    goto stop
)

set "ONLINE=Is this computer online? Connect it and start again: what is there already is kept."
set "UV=uv"
where uv >nul 2>nul && goto install
set "UV=%PLACE%\uv\uv.exe"
if exist "%UV%" goto install
echo Getting uv, which installs the rest ...
set "UV_INSTALL_DIR=%PLACE%\uv"
set "UV_NO_MODIFY_PATH=1"
powershell -NoProfile -ExecutionPolicy Bypass -Command "irm https://astral.sh/uv/install.ps1 | iex" >nul 2>nul
if not exist "%UV%" (
    set "WHAT=uv could not be downloaded."
    set "NEXT=%ONLINE%"
    goto stop
)

:install
set "PROGRAM=%PLACE%\app"
rem Installed again when the list of parts changes, or when the folder was moved.
set "WANTED="
for /f "skip=1 delims=" %%H in ('certutil -hashfile "%SOURCE%\constraints.txt" SHA256') do if not defined WANTED set "WANTED=%%H"
set "LISTED="
for /f "skip=1 delims=" %%H in ('certutil -hashfile "%SOURCE%\pyproject.toml" SHA256') do if not defined LISTED set "LISTED=%%H"
set "WANTED=%WANTED% %LISTED% %SOURCE%"
set "INSTALLED="
if exist "%PLACE%\installed" set /p INSTALLED=<"%PLACE%\installed"
if "%INSTALLED%"=="%WANTED%" if exist "%PROGRAM%\Scripts\fewshot.exe" goto open

echo Installing fewshot. The first time this takes a few minutes and about 2 GB.
if exist "%PLACE%\installed" del "%PLACE%\installed"
if not exist "%PROGRAM%\Scripts\python.exe" "%UV%" venv --quiet --clear --python ">=3.11,<3.14" "%PROGRAM%"
if not exist "%PROGRAM%\Scripts\python.exe" (
    set "WHAT=there is no Python 3.11 to 3.13, and it could not be downloaded."
    set "NEXT=%ONLINE%"
    goto stop
)
"%UV%" pip install --python "%PROGRAM%\Scripts\python.exe" --constraint "%SOURCE%\constraints.txt" --editable "%SOURCE%[app,heif]"
if errorlevel 1 (
    set "WHAT=a part of fewshot could not be installed; the reason is above."
    set "NEXT=%ONLINE% If the disk is full, free 2 GB first."
    goto stop
)
>"%PLACE%\installed" echo %WANTED%

:open
echo Opening fewshot in your browser. Leave this window open; closing it ends fewshot.
"%PROGRAM%\Scripts\fewshot.exe" app %*
if not errorlevel 1 exit /b 0
set "WHAT=fewshot ended by itself; the reason is above."
set "NEXT=Start it again. If that does not help, type: %PROGRAM%\Scripts\fewshot.exe doctor"

:stop
echo.
echo This did not work: %WHAT%
echo %NEXT%
pause
exit /b 1
